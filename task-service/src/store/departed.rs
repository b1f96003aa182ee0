//! A user whose account is gone, and the removal of everything that was kept of them.

use std::time::Duration;

use sea_orm::{
    DeleteMany, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};
use server::audit_log::{self, EventKind};
use tokio::time::Instant;

use super::{
    Tasks,
    news::News,
    owned::{Owned, owned_delete, with_unfinished},
    revision::close_history,
    scope::{Departed, Scope},
};
use crate::{
    entity::{reminder, request, revision, task},
    error::Error,
};

/// How many rows of a table one transaction removes at most: the user's changes, and on
/// SQLite everybody's, wait for it.
const BATCH: u64 = 500;

/// What is noted here about users. In a database that auth-service shares, the other events
/// are of the account, and stay for as long as its operator keeps them.
const NOTED: [EventKind; 1] = [EventKind::OwnershipRefused];

/// What a piece of a removal did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// How many tasks it removed.
    pub tasks: u64,
    /// Whether nothing is left.
    pub done: bool,
}

impl Tasks {
    /// Removes a piece of what is kept of `user`. Repeated until it is done it removes
    /// everything, wherever it broke off before.
    pub async fn remove(&self, user: &Departed) -> Result<Removed, Error> {
        self.remove_by(user, BATCH).await
    }

    /// Removes piece after piece, until it is done or has gone on for as long as `at_most`.
    pub async fn remove_for(&self, user: &Departed, at_most: Duration) -> Result<Removed, Error> {
        let end = Instant::now() + at_most;
        let mut all = Removed { tasks: 0, done: false };
        while !all.done {
            let piece = self.remove(user).await?;
            all = Removed { tasks: all.tasks + piece.tasks, done: piece.done };
            if Instant::now() >= end {
                break;
            }
        }
        Ok(all)
    }

    /// A piece of `batch` rows of a table at most.
    pub(super) async fn remove_by(&self, user: &Departed, batch: u64) -> Result<Removed, Error> {
        let user_id = user.user_id();
        let _turn = self.turns.changes.take(user_id).await?;
        let transaction = self.database.begin().await?;
        // First the row that the user's changes queue at, as they do.
        close_history(user).exec(&transaction).await?;
        let tasks = some_tasks(user, batch).exec(&transaction).await?.rows_affected;
        let mut done = tasks < batch;
        if done {
            let reminders = some_reminders(user, batch).exec(&transaction).await?;
            let requests = some_requests(user, batch).exec(&transaction).await?;
            let events = audit_log::delete_some_of(&transaction, user_id, &NOTED, batch).await?;
            let most = [reminders.rows_affected, requests.rows_affected, events];
            done = most.iter().all(|removed| *removed < batch);
        }
        if done {
            owned_delete::<revision::Entity>(user).exec(&transaction).await?;
        }
        News::of(&self.hub, user_id).after(transaction.commit()).await?;
        Ok(Removed { tasks, done })
    }
}

/// A delete of at most `limit` tasks, in the trash or not. SQLite's index of words follows.
fn some_tasks(user: &Departed, limit: u64) -> DeleteMany<task::Entity> {
    some(user, [task::Column::Id], limit)
}

/// A delete of at most `limit` reminders, fired or not.
fn some_reminders(user: &Departed, limit: u64) -> DeleteMany<reminder::Entity> {
    some(user, [reminder::Column::TaskId, reminder::Column::FiresAt], limit)
}

/// A delete of at most `limit` remembered requests.
fn some_requests(user: &Departed, limit: u64) -> DeleteMany<request::Entity> {
    some(user, [request::Column::RequestId], limit)
}

/// A delete of at most `limit` rows, which are told apart by `key` among the user's.
fn some<E: Owned, const N: usize>(
    user: &Departed,
    key: [E::Column; N],
    limit: u64,
) -> DeleteMany<E> {
    let those = with_unfinished::<E>(user).select_only().columns(key).limit(limit).into_query();
    let key = Expr::tuple(key.map(Expr::col));
    owned_delete::<E>(user).filter(key.in_subquery(those))
}
