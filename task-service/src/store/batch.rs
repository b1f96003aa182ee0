//! Batches: changes of many tasks in one transaction.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, QueryFilter};
use server::db::ReadRows;
use shared::{
    auth::Owner,
    error::Refusal,
    fields::{Fields, Violations},
};
use uuid::Uuid;

use super::{
    Tasks,
    change::{Change, Outcome},
    edit::save,
    idempotency::{self, Created},
    owned::live,
    read,
    row::likely_usage,
    trash::discard,
    write::insert_all,
};
use crate::{
    domain::{
        fingerprint::{Batch, of_batch},
        quota::Usage,
        request_id::RequestId,
        task::{Content, Task, TaskPatch},
        timestamp::Timestamp,
    },
    entity::task::Column,
    error::Error,
    query::page,
};

/// The most bytes of a response; gRPC clients take 4 MiB by default.
const MAX_BYTES: usize = 3 * 1024 * 1024;

impl Tasks {
    /// Creates tasks, in order. With an idempotency key used for the same ones in the last 24
    /// hours, returns those created then, as they are now.
    pub async fn create_all(
        &self,
        owner: &Owner,
        new: Vec<Content>,
        request_id: Option<RequestId>,
    ) -> Result<Vec<Task>, Error> {
        let key = IdempotencyKey::of(request_id, Batch::Create(&new));
        let likely = new.iter().map(likely_usage).fold(Usage::default(), Usage::and);
        let change = Change::begin_with_usage(self, owner, likely).await?;
        let now = self.now();
        let outcome = create_in(&change, owner, new, key, now).await;
        change.end(outcome).await
    }

    /// Applies `patch` to each task. With an idempotency key used for the same change in the last
    /// 24 hours, changes nothing and returns the tasks as they are now.
    pub async fn update_all(
        &self,
        owner: &Owner,
        ids: &[Uuid],
        patch: &TaskPatch,
        request_id: Option<RequestId>,
    ) -> Result<Vec<Task>, Error> {
        let key = IdempotencyKey::of(request_id, Batch::Update(ids, patch));
        self.edit_all(owner, ids, patch, key).await
    }

    /// Completes each task, once for each idempotency key, as [`Tasks::update_all`].
    pub async fn complete_all(
        &self,
        owner: &Owner,
        ids: &[Uuid],
        request_id: Option<RequestId>,
    ) -> Result<Vec<Task>, Error> {
        let key = IdempotencyKey::of(request_id, Batch::Complete(ids));
        self.edit_all(owner, ids, &TaskPatch::completed(true), key).await
    }

    /// Moves each task to the trash, once for each idempotency key.
    pub async fn delete_all(
        &self,
        owner: &Owner,
        ids: &[Uuid],
        request_id: Option<RequestId>,
    ) -> Result<(), Error> {
        let key = IdempotencyKey::of(request_id, Batch::Delete(ids));
        let change = Change::begin_deletion(self, owner).await?;
        let now = self.now();
        let outcome = delete_in(&change, owner, ids, key, now).await;
        change.end(outcome).await
    }

    async fn edit_all(
        &self,
        owner: &Owner,
        ids: &[Uuid],
        patch: &TaskPatch,
        key: Option<IdempotencyKey>,
    ) -> Result<Vec<Task>, Error> {
        let change = Change::begin(self, owner).await?;
        let now = self.now();
        let outcome = edit_in(&change, owner, ids, patch, key, now).await;
        change.end(outcome).await
    }
}

/// The idempotency key of a batch, with its fingerprint.
struct IdempotencyKey {
    id: RequestId,
    fingerprint: Vec<u8>,
}

impl IdempotencyKey {
    fn of(id: Option<RequestId>, batch: Batch<'_>) -> Option<Self> {
        id.map(|id| Self { id, fingerprint: of_batch(batch) })
    }

    /// The tasks created by an earlier call with this key.
    async fn find(
        key: Option<&Self>,
        change: &Change,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<Option<Vec<Uuid>>, Error> {
        let Some(Self { id, fingerprint }) = key else { return Ok(None) };
        match idempotency::find(change, owner, id, fingerprint, now).await? {
            None => Ok(None),
            Some(Created::Batch(ids)) => Ok(Some(ids)),
            Some(Created::One(_)) => Err(Refusal::RequestIdReused.into()),
        }
    }

    /// Stores the key with the created tasks.
    async fn remember(
        self,
        change: &Change,
        owner: &Owner,
        made: Vec<Uuid>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Self { id, fingerprint } = self;
        idempotency::remember(change, owner, &id, fingerprint, Created::Batch(made), now).await
    }
}

async fn create_in(
    change: &Change,
    owner: &Owner,
    new: Vec<Content>,
    key: Option<IdempotencyKey>,
    now: Timestamp,
) -> Result<Outcome<Vec<Task>>, Error> {
    if let Some(ids) = IdempotencyKey::find(key.as_ref(), change, owner, now).await? {
        return match present(find_all(&change.transaction, owner, &ids).await?) {
            Err(Error::Missing(_)) => Err(Refusal::RequestIdReused.into()),
            found => found.map(Outcome::Unchanged),
        };
    }
    let user_id = owner.user().as_str();
    let number = |(index, new)| Task::new(user_id, new, now, change.revision, index);
    let tasks: Vec<_> = new.into_iter().enumerate().map(number).collect();
    insert_all(change, owner, &tasks, now).await?;
    if let Some(key) = key {
        key.remember(change, owner, tasks.iter().map(|task| task.id).collect(), now).await?;
    }
    Ok(Outcome::Changed(tasks))
}

async fn edit_in(
    change: &Change,
    owner: &Owner,
    ids: &[Uuid],
    patch: &TaskPatch,
    key: Option<IdempotencyKey>,
    now: Timestamp,
) -> Result<Outcome<Vec<Task>>, Error> {
    let is_repeat = IdempotencyKey::find(key.as_ref(), change, owner, now).await?.is_some();
    let before = present(find_all(&change.transaction, owner, ids).await?)?;
    if is_repeat {
        return Ok(Outcome::Unchanged(before));
    }
    let mut after = before.clone();
    let changed = apply(&mut after, patch, now)?;
    for index in &changed {
        save(change, owner, &before[*index], &mut after[*index], now, *index).await?;
    }
    match key {
        // The key is stored even without changes, so that a repeat does not undo later ones.
        Some(key) => key.remember(change, owner, Vec::new(), now).await?,
        None if changed.is_empty() => return Ok(Outcome::Unchanged(after)),
        None => {}
    }
    Ok(Outcome::Changed(after))
}

/// Applies `patch` to each task and returns the indexes of the changed ones.
fn apply(tasks: &mut [Task], patch: &TaskPatch, now: Timestamp) -> Result<Vec<usize>, Violations> {
    let (mut fields, mut changed) = (Fields::default(), Vec::new());
    for (i, task) in tasks.iter_mut().enumerate() {
        let applied = task.apply(patch.clone(), now);
        if fields.nested(format_args!("ids[{i}]"), applied) == Some(true) {
            changed.push(i);
        }
    }
    if tasks.iter().map(page::bytes).sum::<usize>() > MAX_BYTES {
        fields.fault("ids", format!("must name fewer: the tasks take more than {MAX_BYTES} bytes"));
    }
    fields.finish(Some(changed))
}

async fn delete_in(
    change: &Change,
    owner: &Owner,
    ids: &[Uuid],
    key: Option<IdempotencyKey>,
    now: Timestamp,
) -> Result<Outcome<()>, Error> {
    if IdempotencyKey::find(key.as_ref(), change, owner, now).await?.is_some() {
        return Ok(Outcome::Unchanged(()));
    }
    for before in present(find_all(&change.transaction, owner, ids).await?)? {
        discard(change, owner, &before, now).await?;
    }
    if let Some(key) = key {
        key.remember(change, owner, Vec::new(), now).await?;
    }
    Ok(Outcome::Changed(()))
}

/// The tasks of `ids` outside the trash, in this order; `None` for a missing one.
async fn find_all(
    on: &impl ReadRows,
    owner: &Owner,
    ids: &[Uuid],
) -> Result<Vec<Option<Task>>, Error> {
    let Some(last) = ids.last() else { return Ok(Vec::new()) };
    // A power of two of ids, as each number of parameters is a prepared statement of its own.
    let mut asked = ids.to_vec();
    asked.resize(ids.len().next_power_of_two(), *last);
    let selection = live(on.get_database_backend(), owner).filter(Column::Id.is_in(asked));
    let found = read::all(on, owner, selection).await?;
    let mut found: HashMap<_, _> = found.into_iter().map(|task| (task.id, task)).collect();
    Ok(ids.iter().map(|id| found.remove(id)).collect())
}

/// All of them, or the error that names the missing ones.
fn present(found: Vec<Option<Task>>) -> Result<Vec<Task>, Error> {
    let mut missing = Fields::default();
    for (i, _) in found.iter().enumerate().filter(|(_, task)| task.is_none()) {
        missing.fault(format!("ids[{i}]"), "is no task of yours");
    }
    missing.finish(Some(found.into_iter().flatten().collect())).map_err(Error::Missing)
}
