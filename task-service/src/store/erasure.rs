//! Erasure: the deletion of everything stored about a user whose account is gone. auth-service
//! (its `erasure` module) calls the rpc `PurgeUser` (`api/grpc/admin.rs`) until nothing is left.

use std::time::Duration;

use sea_orm::{
    DeleteMany, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};
use server::audit_log::{self, Source};
use tokio::time::Instant;

use super::{
    Tasks,
    notify::PendingNotification,
    owned::{Owned, owned_delete, with_unfinished},
    revision::close_history,
    scope::{ErasedUser, Scope},
};
use crate::{
    entity::{reminder, request, revision, task},
    error::Error,
};

/// The most rows of a table that one transaction deletes: the user's changes, and on SQLite all
/// writers, wait for it.
const BATCH: u64 = 500;

/// The progress of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErasureProgress {
    /// The number of deleted tasks.
    pub tasks: u64,
    /// Whether nothing is left.
    pub done: bool,
}

impl Tasks {
    /// Deletes some rows of `user`. Repeated until done it deletes everything, wherever it was
    /// interrupted.
    pub async fn erase_some(&self, user: &ErasedUser) -> Result<ErasureProgress, Error> {
        self.erase_by(user, BATCH).await
    }

    /// Deletes rows until done, or for as long as `at_most`.
    pub async fn erase(
        &self,
        user: &ErasedUser,
        at_most: Duration,
    ) -> Result<ErasureProgress, Error> {
        let end = Instant::now() + at_most;
        let mut all = ErasureProgress { tasks: 0, done: false };
        while !all.done {
            let piece = self.erase_some(user).await?;
            all = ErasureProgress { tasks: all.tasks + piece.tasks, done: piece.done };
            if Instant::now() >= end {
                break;
            }
        }
        Ok(all)
    }

    /// Deletes at most `batch` rows of each table.
    pub(super) async fn erase_by(
        &self,
        user: &ErasedUser,
        batch: u64,
    ) -> Result<ErasureProgress, Error> {
        let user_id = user.user_id();
        let _guard = self.queues.changes.acquire(user_id).await?;
        let transaction = self.database.begin().await?;
        // The row lock of the user's changes comes first, as in a change.
        close_history(user).exec(&transaction).await?;
        let tasks = tasks_of(user, batch).exec(&transaction).await?.rows_affected;
        let mut done = tasks < batch;
        if done {
            let reminders = reminders_of(user, batch).exec(&transaction).await?;
            let requests = keys_of(user, batch).exec(&transaction).await?;
            let events =
                audit_log::delete_some_of(&transaction, user_id, Source::Tasks, batch).await?;
            let most = [reminders.rows_affected, requests.rows_affected, events];
            done = most.iter().all(|deleted| *deleted < batch);
        }
        if done {
            owned_delete::<revision::Entity>(user).exec(&transaction).await?;
        }
        PendingNotification::of_change(&self.pubsub, user_id)
            .send_after(transaction.commit())
            .await?;
        Ok(ErasureProgress { tasks, done })
    }
}

/// A delete of at most `limit` tasks, in the trash or not. Triggers update SQLite's full-text
/// index.
fn tasks_of(user: &ErasedUser, limit: u64) -> DeleteMany<task::Entity> {
    first_rows(user, [task::Column::Id], limit)
}

/// A delete of at most `limit` reminders, fired or not.
fn reminders_of(user: &ErasedUser, limit: u64) -> DeleteMany<reminder::Entity> {
    first_rows(user, [reminder::Column::TaskId, reminder::Column::FiresAt], limit)
}

/// A delete of at most `limit` idempotency keys.
fn keys_of(user: &ErasedUser, limit: u64) -> DeleteMany<request::Entity> {
    first_rows(user, [request::Column::RequestId], limit)
}

/// A delete of at most `limit` rows by their `key`.
fn first_rows<E: Owned, const N: usize>(
    user: &ErasedUser,
    key: [E::Column; N],
    limit: u64,
) -> DeleteMany<E> {
    let those = with_unfinished::<E>(user).select_only().columns(key).limit(limit).into_query();
    let key = Expr::tuple(key.map(Expr::col));
    owned_delete::<E>(user).filter(key.in_subquery(those))
}
