//! The trash: deleted tasks, until their retention ends.

use std::time::Duration;

use shared::auth::Owner;
use uuid::Uuid;

use super::{
    Tasks,
    change::{Change, Outcome},
    edit::check_etag,
    find, find_anywhere,
    revision::{add_usage, purged_until},
    scope::{EveryUser, OneUser},
    system_queries::{expired_trash, purged_trash, purged_usage},
    write::replace,
};
use crate::{
    domain::{etag::Etag, quota::Usage, task::Task, timestamp::Timestamp},
    error::Error,
};

/// The most users of one query.
const USERS: u64 = 100;

/// The most tasks of one transaction: the user's changes wait for it.
const BATCH: u64 = 500;

impl Tasks {
    /// Moves a task to the trash, if it is at the version `etag`. The idempotency key that created
    /// it stays used.
    pub async fn delete(&self, owner: &Owner, id: Uuid, etag: Option<&Etag>) -> Result<(), Error> {
        let change = Change::begin_deletion(self, owner).await?;
        let now = self.now();
        let outcome = delete_in(&change, owner, id, etag, now).await;
        change.end(outcome).await
    }

    /// Restores a task from the trash, unchanged. A task outside is unchanged.
    pub async fn undelete(
        &self,
        owner: &Owner,
        id: Uuid,
        etag: Option<&Etag>,
    ) -> Result<Task, Error> {
        let change = Change::begin(self, owner).await?;
        let now = self.now();
        let outcome = undelete_in(&change, owner, id, etag, now).await;
        change.end(outcome).await
    }

    /// Deletes the tasks of all users that have been in the trash for longer than `retention`, and
    /// returns their number. Safe beside calls and other replicas.
    ///
    /// A purge is not visible, so it takes no change number; but the purged deletions are recorded, so
    /// that no client syncs past them.
    pub async fn empty_trash(&self, all: EveryUser, retention: Duration) -> Result<u64, Error> {
        let retention = i64::try_from(retention.as_micros()).unwrap_or(i64::MAX);
        let until = self.now().micros().saturating_sub(retention);
        let mut purged = 0;
        loop {
            let expired = expired_trash(all, until, USERS).all(self.database.reader()).await?;
            for (user_id, revision) in &expired {
                purged += self.empty_trash_of(all.user(user_id), until, *revision).await?;
            }
            if expired.is_empty() {
                return Ok(purged);
            }
        }
    }

    /// Deletes the expired trash of one user, by changes up to this number.
    async fn empty_trash_of(
        &self,
        user: OneUser<'_>,
        until: i64,
        revision: i64,
    ) -> Result<u64, Error> {
        let mut purged = 0;
        loop {
            let transaction = self.database.begin().await?;
            // The row lock of the user's changes comes first, as in a change.
            purged_until(&user, revision).exec(&transaction).await?;
            let usage = purged_usage(user, until, revision, BATCH).one(&transaction).await?;
            let delete = purged_trash(user, until, revision, BATCH).exec(&transaction).await?;
            if let Some((tasks, bytes)) = usage.filter(|(tasks, _)| *tasks > 0) {
                let usage = Usage { tasks, bytes: bytes.unwrap_or(0) };
                add_usage(&user, Usage::default().without(usage)).exec(&transaction).await?;
            }
            transaction.commit().await?;
            purged += delete.rows_affected;
            if delete.rows_affected < BATCH {
                return Ok(purged);
            }
        }
    }
}

async fn delete_in(
    change: &Change,
    owner: &Owner,
    id: Uuid,
    etag: Option<&Etag>,
    now: Timestamp,
) -> Result<Outcome<()>, Error> {
    let before = find(&change.transaction, owner, id).await?;
    check_etag(etag, &before)?;
    discard(change, owner, &before, now).await?;
    Ok(Outcome::Changed(()))
}

/// Moves `before` to the trash.
pub async fn discard(
    change: &Change,
    owner: &Owner,
    before: &Task,
    now: Timestamp,
) -> Result<(), Error> {
    let mut task = Task { deleted_at: Some(now), ..before.clone() };
    replace(change, owner, before, &mut task, now).await
}

async fn undelete_in(
    change: &Change,
    owner: &Owner,
    id: Uuid,
    etag: Option<&Etag>,
    now: Timestamp,
) -> Result<Outcome<Task>, Error> {
    let before = find_anywhere(&change.transaction, owner, id).await?;
    check_etag(etag, &before)?;
    if before.deleted_at.is_none() {
        return Ok(Outcome::Unchanged(before));
    }
    let mut task = Task { deleted_at: None, ..before.clone() };
    replace(change, owner, &before, &mut task, now).await?;
    Ok(Outcome::Changed(task))
}
