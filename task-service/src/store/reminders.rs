//! Reminders that fire: each once, whoever looks how often.
//!
//! A firing is a change of its user: it takes a number, so that whoever watches the user
//! sees it in its place. The task stays as it is.

use std::collections::BTreeSet;

use super::{
    Tasks,
    notify::News,
    reminder_queries::{
        due_reminders, firings, firings_after, mark_fired, old_firings, pending_reminders,
        reminded_task, take_firings,
    },
    retention::{BATCH, forget},
    revision::take_numbers,
    row::Row,
    scope::{EveryUser, OneUser, Scope},
};
use crate::{
    domain::{
        task::{Fired, Task},
        timestamp::Moment,
    },
    entity::reminder::Model,
    error::Error,
};

/// How many reminders one look finds, and how many of one user fire in one transaction.
const AT_ONCE: u64 = 100;

/// How many firings are read at a time.
const SIZE: u64 = 50;

/// How long a firing is kept, in microseconds: 7 days.
const KEPT: i64 = 7 * 24 * 60 * 60 * 1_000_000;

impl Tasks {
    /// Fires everything that is due, of all users, and tells when the next one will be.
    /// Safe beside calls and beside other processes that do the same. Where it fails for a
    /// user, the others do not wait: the first error is told when all of theirs has fired.
    pub async fn fire_due(&self, all: EveryUser) -> Result<Option<Moment>, Error> {
        let (mut stuck, mut first) = (BTreeSet::new(), None);
        loop {
            let now = self.now();
            let pending =
                pending_reminders(all, &stuck, AT_ONCE).all(self.database.reader()).await?;
            let next = pending.first().map(|(_, fires_at)| Moment::from_micros(*fires_at));
            let due = pending.iter().take_while(|(_, fires_at)| *fires_at <= now.micros());
            let users: BTreeSet<_> = due.map(|(user_id, _)| user_id).collect();
            let mut goes_on = false;
            for user_id in users {
                match self.fire(all.user(user_id), now).await {
                    Ok(fired) => goes_on |= fired > 0,
                    Err(error) => {
                        stuck.insert(user_id.clone());
                        first.get_or_insert(error);
                        // The next look tells whether the database is there at all.
                        goes_on = true;
                        break;
                    }
                }
            }
            // If nothing did, somebody else is at it, or nothing is due.
            if !goes_on {
                return first.map_or(Ok(next), Err);
            }
        }
    }

    /// Fires what is due of one user, in one transaction, and tells how much that was.
    async fn fire(&self, user: OneUser<'_>, now: Moment) -> Result<usize, Error> {
        let transaction = self.database.begin().await?;
        // First the row that the user's changes queue at, as they do.
        take_numbers(&user, 0).exec(&transaction).await?;
        let mut due = due_reminders(user, now.micros(), AT_ONCE).all(&transaction).await?;
        let count = i64::try_from(due.len()).unwrap_or(i64::MAX);
        let taken = take_numbers(&user, count).exec_with_returning(&transaction).await?;
        let Some(last) = taken.first().filter(|_| count > 0) else {
            transaction.rollback().await;
            return Ok(0);
        };
        let sequence = take_firings(count).exec_with_returning(&transaction).await?;
        for (row, left) in due.iter_mut().zip((0..count).rev()) {
            row.fired_at = Some(now.micros());
            row.revision = Some(last.revision - left);
            row.sequence = Some(sequence.value - left);
            mark_fired(user, row).exec(&transaction).await?;
        }
        News::of_firing(&self.hub, user.user_id()).after(transaction.commit()).await?;
        Ok(due.len())
    }

    /// What has fired after the firing with this number, of all users, oldest first.
    pub async fn fired_after(&self, all: EveryUser, sequence: i64) -> Result<Vec<Fired>, Error> {
        let rows = firings_after(all, sequence, SIZE).all(self.database.reader()).await?;
        Ok(rows.into_iter().filter_map(fired).collect())
    }

    /// The number of the last firing of all.
    pub async fn last_firing(&self, _all: EveryUser) -> Result<i64, Error> {
        let row = firings().one(self.database.reader()).await?;
        Ok(row.map_or(0, |row| row.value))
    }

    /// The task of a firing, as it is now; `None` if it is gone.
    pub async fn task_of(&self, all: EveryUser, fired: &Fired) -> Result<Option<Task>, Error> {
        let task =
            reminded_task(all.user(&fired.user_id), fired.task_id).into_partial_model::<Row>();
        let row = task.one(self.database.reader()).await?;
        row.map(|row| row.of_user(&fired.user_id)).transpose()
    }

    /// Forgets what has fired 7 days ago, of all users, and tells how much it was.
    pub async fn forget_fired(&self, all: EveryUser) -> Result<u64, Error> {
        let until = self.now().micros().saturating_sub(KEPT);
        forget(&self.database, BATCH, |limit| old_firings(all, until, limit)).await
    }
}

/// The firing in a row; `None` if it is still to come.
pub fn fired(row: Model) -> Option<Fired> {
    Some(Fired {
        user_id: row.user_id,
        task_id: row.task_id,
        due_at: Moment::from_micros(row.fires_at),
        at: Moment::from_micros(row.fired_at?),
        revision: row.revision?,
        sequence: row.sequence?,
    })
}
