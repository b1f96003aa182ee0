//! The events of a watch: changes and reminder events of a user, in one order.

use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use shared::{auth::Owner, error::Refusal};
use uuid::Uuid;

use super::{Tasks, find, owned::owned, reminders::reminder_event, sync::History};
use crate::{
    domain::task::{ReminderEvent, Task},
    entity::reminder::{Column, Entity},
    error::Error,
    query::sync::{Changes, SyncCursor},
};

/// The page size; every open stream may hold one page.
const PAGE_SIZE: usize = 50;

/// A change or a reminder event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredEvent {
    /// A changed task; one in the trash is a deletion.
    Changed(Box<Task>),
    /// A reminder has fired.
    Reminder(ReminderEvent),
}

/// A page of events.
#[derive(Debug)]
pub struct EventPage {
    /// The events, each with the cursor after it.
    pub events: Vec<(SyncCursor, StoredEvent)>,
    /// The cursor after all of them.
    pub next: SyncCursor,
    /// Whether more events are available.
    pub more: bool,
}

impl Tasks {
    /// The events after `after`, oldest first.
    pub async fn events_after(&self, owner: &Owner, after: SyncCursor) -> Result<EventPage, Error> {
        self.events_by(owner, after, PAGE_SIZE).await
    }

    /// The events after `after`, at most `size`.
    pub(super) async fn events_by(
        &self,
        owner: &Owner,
        after: SyncCursor,
        size: usize,
    ) -> Result<EventPage, Error> {
        let history = self.history(owner).await?;
        self.events_until(owner, after, history, size).await
    }

    /// The events after `after`, up to the end of `history`. Changes and reminder events are read
    /// one after the other; change numbers are committed in order, so up to that end both are
    /// complete.
    pub(super) async fn events_until(
        &self,
        owner: &Owner,
        after: SyncCursor,
        history: History,
        size: usize,
    ) -> Result<EventPage, Error> {
        history.check(after)?;
        let end = after.behind_all_of(history.latest);
        if after.order() >= end.order() {
            return Ok(EventPage { events: Vec::new(), next: after, more: false });
        }
        let changes = self.changes(owner, after, history.latest, size).await?;
        let until = if changes.more { changes.next } else { end };
        let fired = self.reminder_events(owner, after, until, size).await?;
        // A purge records its number before it deletes.
        self.history(owner).await?.check(after)?;
        Ok(merged(changes, fired, after, end, size))
    }

    /// The current task of a reminder; `None` if it is gone.
    pub async fn reminded(&self, owner: &Owner, id: Uuid) -> Result<Option<Task>, Error> {
        match find(self.database.reader(), owner, id).await {
            Ok(task) => Ok(Some(task)),
            Err(Error::Refused(Refusal::TaskNotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The reminder events after `after` until `until`, one more than `size` if there are more.
    async fn reminder_events(
        &self,
        owner: &Owner,
        after: SyncCursor,
        until: SyncCursor,
        size: usize,
    ) -> Result<Vec<ReminderEvent>, Error> {
        let rows = owned::<Entity>(self.database.backend(), owner)
            .filter(Column::Revision.gt(after.known()))
            .filter(Column::Revision.lte(until.revision))
            .order_by_asc(Column::Revision)
            .limit(size as u64 + 1)
            .all(self.database.reader())
            .await?;
        Ok(rows.into_iter().filter_map(reminder_event).collect())
    }
}

/// Changes and reminder events merged by change number, at most `size`.
fn merged(
    changes: Changes,
    fired: Vec<ReminderEvent>,
    after: SyncCursor,
    end: SyncCursor,
    size: usize,
) -> EventPage {
    let of_tasks = changes
        .tasks
        .into_iter()
        .map(|task| (after.behind(&task), StoredEvent::Changed(Box::new(task))));
    let fired = fired.into_iter().map(|fired| {
        let cursor = SyncCursor { revision: fired.revision, id: fired.task_id, ..after };
        (cursor, StoredEvent::Reminder(fired))
    });
    let mut events: Vec<_> = of_tasks.chain(fired).collect();
    events.sort_by_key(|(cursor, _)| cursor.order());
    let more = changes.more || events.len() > size;
    events.truncate(size);
    let last = events.last().map(|(cursor, _)| *cursor);
    EventPage { events, next: if more { last.unwrap_or(after) } else { end }, more }
}
