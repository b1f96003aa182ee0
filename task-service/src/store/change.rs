//! A change: one transaction and one change number (revision).

use std::sync::{Mutex, PoisonError};

use server::db::Transaction;
use shared::{auth::Owner, error::Refusal};

use super::{
    Tasks,
    notify::PendingNotification,
    revision::{add_usage, take_number},
    user_queue::QueueGuard,
};
use crate::{
    domain::quota::{Quota, Usage},
    error::Error,
};

/// A change of one owner's tasks in progress. All other changes of the owner wait until it ends, so
/// its reads stay true.
pub struct Change {
    /// The transaction.
    pub transaction: Transaction,
    /// The change number, greater than all earlier ones of the owner.
    pub revision: i64,
    owner: Owner,
    quota: Quota,
    usage: Mutex<UsageChange>,
    notification: PendingNotification,
    guard: QueueGuard,
}

/// The usage of the owner during a change.
struct UsageChange {
    /// The stored usage, with the expected growth.
    stored: Usage,
    /// The difference to write.
    more: Usage,
}

/// The outcome of a change, with the result of the call.
pub enum Outcome<T> {
    /// Something changed.
    Changed(T),
    /// Nothing changed, so the transaction is rolled back.
    Unchanged(T),
}

impl Change {
    /// Begins a change, unless the disk is full.
    pub async fn begin(tasks: &Tasks, owner: &Owner) -> Result<Self, Error> {
        Self::begin_with_usage(tasks, owner, Usage::default()).await
    }

    /// Begins a change that is expected to add this usage: the statement that takes the number adds
    /// it, and another one corrects it at the end.
    pub async fn begin_with_usage(tasks: &Tasks, owner: &Owner, by: Usage) -> Result<Self, Error> {
        tasks.database.check_space()?;
        let guard = tasks.queues.changes.acquire(owner.user().as_str()).await?;
        Self::begin_in(tasks, owner, guard, by).await
    }

    /// Begins a change that stores nothing more, which must work on a full disk.
    pub async fn begin_deletion(tasks: &Tasks, owner: &Owner) -> Result<Self, Error> {
        let guard = tasks.queues.changes.acquire(owner.user().as_str()).await?;
        Self::begin_in(tasks, owner, guard, Usage::default()).await
    }

    /// Begins a change with the guard of the owner's queue.
    ///
    /// The first statement takes the owner's next number and the row lock at which PostgreSQL's
    /// writers queue; on SQLite they queue for the file.
    async fn begin_in(
        tasks: &Tasks,
        owner: &Owner,
        guard: QueueGuard,
        by: Usage,
    ) -> Result<Self, Error> {
        let transaction = tasks.database.begin().await?;
        let (revision, stored) = take_number(&transaction, tasks.epoch().base, owner, by).await?;
        let usage = Mutex::new(UsageChange { stored, more: Usage::default().without(by) });
        let notification = PendingNotification::of_change(&tasks.pubsub, owner.user().as_str());
        let (owner, quota) = (owner.clone(), tasks.quota);
        Ok(Self { transaction, revision, owner, quota, usage, notification, guard })
    }

    /// Adds to the usage, or subtracts; fails if the quota is exceeded.
    pub fn grow(&self, by: Usage) -> Result<(), Error> {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        usage.more = usage.more.and(by);
        if self.quota.allows(usage.stored.and(usage.more), by) {
            Ok(())
        } else {
            Err(Refusal::QuotaExceeded.into())
        }
    }

    /// Commits a change, or rolls back if nothing changed or it failed. Subscribers are notified
    /// after a commit.
    pub async fn end<T>(self, outcome: Result<Outcome<T>, Error>) -> Result<T, Error> {
        let outcome = match outcome {
            Ok(Outcome::Changed(result)) => {
                self.write_usage().await.map(|()| Outcome::Changed(result))
            }
            other => other,
        };
        match outcome {
            Ok(Outcome::Changed(result)) => {
                let committed = self.transaction.commit_with(self.guard);
                self.notification.send_after(committed).await?;
                Ok(result)
            }
            Ok(Outcome::Unchanged(result)) => {
                self.transaction.rollback().await?;
                Ok(result)
            }
            Err(error) => {
                self.transaction.rollback().await?;
                Err(error)
            }
        }
    }

    /// Writes the difference between the actual and the expected usage.
    async fn write_usage(&self) -> Result<(), Error> {
        let more = self.usage.lock().unwrap_or_else(PoisonError::into_inner).more;
        if more != Usage::default() {
            add_usage(&self.owner, more).exec(&self.transaction).await?;
        }
        Ok(())
    }
}
