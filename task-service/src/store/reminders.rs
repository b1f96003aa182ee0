//! The store of reminders: each fires once, over all replicas.
//!
//! A reminder event is a change of its user: it takes a change number, so that watchers see it in
//! order. The task is unchanged.

use std::collections::BTreeSet;

use super::{
    Tasks,
    notify::PendingNotification,
    read,
    reminder_queries::{
        due_reminders, mark_fired, old_reminder_events, oldest_reminder_events, pending_reminders,
        reminded_task, reminder_events_between, reminder_sequence, take_sequence_numbers,
    },
    retention::{BATCH, delete_expired},
    revision::take_numbers,
    scope::{EveryUser, OneUser, Scope},
};
use crate::{
    domain::{
        task::{ReminderEvent, Task},
        timestamp::Timestamp,
    },
    entity::reminder::Model,
    error::Error,
};

/// The most reminders of one query, and of one user in one transaction.
const BATCH_SIZE: u64 = 100;

/// The page size of reminder events.
const PAGE_SIZE: u64 = 50;

/// The retention of reminder events, in microseconds: 7 days.
const RETENTION: i64 = 7 * 24 * 60 * 60 * 1_000_000;

impl Tasks {
    /// Fires the due reminders of all users, and returns the time of the next one. Safe beside
    /// calls and other replicas. A failure for one user does not stop the others: the first error
    /// is returned at the end.
    pub async fn fire_due(&self, all: EveryUser) -> Result<Option<Timestamp>, Error> {
        let (mut stuck, mut first) = (BTreeSet::new(), None);
        loop {
            let now = self.now();
            let reader = self.database.reader();
            let backend = self.database.backend();
            let pending = pending_reminders(backend, all, &stuck, BATCH_SIZE).all(reader).await?;
            let next = pending.first().map(|(_, fires_at)| Timestamp::from_micros(*fires_at));
            let due = pending.iter().take_while(|(_, fires_at)| *fires_at <= now.micros());
            let users: BTreeSet<_> = due.map(|(user_id, _)| user_id).collect();
            let mut goes_on = false;
            for user_id in users {
                match self.fire(all.user(user_id), now).await {
                    Ok(fired) => goes_on |= fired > 0,
                    Err(error) => {
                        stuck.insert(user_id.clone());
                        first.get_or_insert(error);
                        // The next query shows whether the database is available.
                        goes_on = true;
                        break;
                    }
                }
            }
            // Otherwise another replica fires them, or nothing is due.
            if !goes_on {
                return first.map_or(Ok(next), Err);
            }
        }
    }

    /// Fires the due reminders of one user in one transaction, and returns their number.
    async fn fire(&self, user: OneUser<'_>, now: Timestamp) -> Result<usize, Error> {
        let transaction = self.database.begin().await?;
        // The row lock of the user's changes comes first, as in a change.
        take_numbers(&user, 0).exec(&transaction).await?;
        let mut due = due_reminders(user, now.micros(), BATCH_SIZE).all(&transaction).await?;
        let count = i64::try_from(due.len()).unwrap_or(i64::MAX);
        let taken = take_numbers(&user, count).exec_with_returning(&transaction).await?;
        let Some(last) = taken.first().filter(|_| count > 0) else {
            transaction.rollback().await?;
            return Ok(0);
        };
        let sequence = take_sequence_numbers(count).exec_with_returning(&transaction).await?;
        for (row, left) in due.iter_mut().zip((0..count).rev()) {
            row.fired_at = Some(now.micros());
            row.revision = Some(last.revision - left);
            row.sequence = Some(sequence.value - left);
            mark_fired(user, row).exec(&transaction).await?;
        }
        PendingNotification::of_reminder(&self.pubsub, user.user_id())
            .send_after(transaction.commit())
            .await?;
        Ok(due.len())
    }

    /// The reminder events of all users after this sequence number, oldest first.
    ///
    /// Those until the last number as of before: where the rows are in several shards, a read is no
    /// snapshot, and without a bound it could have an event and miss an earlier one. The number is
    /// committed after the rows.
    pub async fn reminder_events_after(
        &self,
        all: EveryUser,
        sequence: i64,
    ) -> Result<Vec<ReminderEvent>, Error> {
        let last = self.last_reminder_event(all).await?;
        let rows = reminder_events_between(all, sequence, last, PAGE_SIZE)
            .all(self.database.reader())
            .await?;
        Ok(rows.into_iter().filter_map(reminder_event).collect())
    }

    /// The last sequence number of reminder events.
    pub async fn last_reminder_event(&self, _all: EveryUser) -> Result<i64, Error> {
        let row = reminder_sequence().one(self.database.reader()).await?;
        Ok(row.map_or(0, |row| row.value))
    }

    /// The current task of a reminder event; `None` if it is gone.
    pub async fn task_of_event(
        &self,
        all: EveryUser,
        fired: &ReminderEvent,
    ) -> Result<Option<Task>, Error> {
        let user = all.user(&fired.user_id);
        read::first(self.database.reader(), &user, reminded_task(user, fired.task_id)).await
    }

    /// Deletes the reminder events of all users after their retention, and returns their number.
    pub async fn delete_old_reminder_events(&self, all: EveryUser) -> Result<u64, Error> {
        let until = self.now().micros().saturating_sub(RETENTION);
        let users = |limit| async move {
            let oldest = oldest_reminder_events(all, limit).all(self.database.reader()).await?;
            let expired = oldest.into_iter().filter(|(_, fired_at)| *fired_at <= until);
            Ok(expired.map(|(user_id, _)| user_id).collect())
        };
        let expired = |user: OneUser<'_>, limit| old_reminder_events(user, until, limit);
        delete_expired(&self.database, all, BATCH, users, expired).await
    }
}

/// The reminder event in a row; `None` if it has not fired.
pub fn reminder_event(row: Model) -> Option<ReminderEvent> {
    Some(ReminderEvent {
        user_id: row.user_id,
        task_id: row.task_id,
        due_at: Timestamp::from_micros(row.fires_at),
        at: Timestamp::from_micros(row.fired_at?),
        revision: row.revision?,
        sequence: row.sequence?,
    })
}
