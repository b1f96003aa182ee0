//! Changes: one transaction and one number each.

use std::sync::{Mutex, PoisonError};

use server::db::Transaction;
use shared::auth::Owner;

use super::{
    Tasks,
    notify::News,
    revision::{counted, next_number, stored_usage},
    user_queue::Turn,
};
use crate::{
    domain::quota::{Quota, Usage},
    error::Error,
};

/// A change of one owner's tasks in progress. Until it ends, every other change of the
/// same owner waits, so what was read stays true.
pub struct Change {
    /// Where it happens.
    pub transaction: Transaction,
    /// Its number: greater than every earlier one of this owner.
    pub revision: i64,
    owner: Owner,
    quota: Quota,
    usage: Mutex<Growing>,
    news: News,
    #[expect(dead_code, reason = "over when the change is")]
    turn: Turn,
}

/// What the owner has, as it grows.
struct Growing {
    /// As the owner's row has it.
    stored: Usage,
    /// What the row does not have yet.
    more: Usage,
}

/// How a change went, and what to tell the caller.
pub enum Outcome<T> {
    /// Something is different now.
    Changed(T),
    /// Everything is as it was, so the number is given back.
    Unchanged(T),
}

impl Change {
    /// Begins a change, where there is room for what it stores.
    pub async fn begin(tasks: &Tasks, owner: &Owner) -> Result<Self, Error> {
        Self::begin_growing(tasks, owner, Usage::default()).await
    }

    /// The same for one that will most likely store so much more: it is counted by the
    /// statement that takes the number, and what is different in the end by another.
    pub async fn begin_growing(tasks: &Tasks, owner: &Owner, by: Usage) -> Result<Self, Error> {
        tasks.database.check_space()?;
        let turn = tasks.turns.changes.take(owner.user().as_str()).await?;
        Self::begin_in(tasks, owner, turn, by).await
    }

    /// The same for a change that stores nothing more: it must go on where there is no room.
    pub async fn begin_deletion(tasks: &Tasks, owner: &Owner) -> Result<Self, Error> {
        let turn = tasks.turns.changes.take(owner.user().as_str()).await?;
        Self::begin_in(tasks, owner, turn, Usage::default()).await
    }

    /// The same for who has the owner's turn already.
    ///
    /// Its first statement takes the owner's next number, and with it the row lock that
    /// PostgreSQL's writers queue at; on SQLite they queue for the file.
    async fn begin_in(tasks: &Tasks, owner: &Owner, turn: Turn, by: Usage) -> Result<Self, Error> {
        let transaction = tasks.database.begin().await?;
        let row = next_number(tasks.epoch().base, owner, by, None)
            .exec_with_returning(&transaction)
            .await?;
        let stored = stored_usage(&row);
        let usage = Mutex::new(Growing { stored, more: Usage::default().without(by) });
        let news = News::of(&tasks.hub, owner.user().as_str());
        let (owner, quota) = (owner.clone(), tasks.quota);
        Ok(Self { transaction, revision: row.revision, owner, quota, usage, news, turn })
    }

    /// Counts what is stored more, or less. Refuses what the owner may not have.
    pub fn grow(&self, by: Usage) -> Result<(), Error> {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        usage.more = usage.more.and(by);
        if self.quota.allows(usage.stored.and(usage.more), by) {
            Ok(())
        } else {
            Err(Error::QuotaExceeded)
        }
    }

    /// Commits what changed something and rolls back everything else, before anybody is
    /// told. Whoever watches the owner is woken after a commit.
    pub async fn end<T>(self, outcome: Result<Outcome<T>, Error>) -> Result<T, Error> {
        let outcome = match outcome {
            Ok(Outcome::Changed(told)) => self.count().await.map(|()| Outcome::Changed(told)),
            other => other,
        };
        match outcome {
            Ok(Outcome::Changed(told)) => {
                self.news.after(self.transaction.commit()).await?;
                Ok(told)
            }
            Ok(Outcome::Unchanged(told)) => {
                self.transaction.rollback().await;
                Ok(told)
            }
            Err(error) => {
                self.transaction.rollback().await;
                Err(error)
            }
        }
    }

    /// Brings the owner's row up to date, where what was stored is not what was expected.
    async fn count(&self) -> Result<(), Error> {
        let more = self.usage.lock().unwrap_or_else(PoisonError::into_inner).more;
        if more != Usage::default() {
            counted(&self.owner, more).exec(&self.transaction).await?;
        }
        Ok(())
    }
}
