//! What has happened to a user's tasks: changes and reminders, in one order.

use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use shared::auth::Owner;
use uuid::Uuid;

use super::{Tasks, find, owned::owned, reminders::fired, sync::History};
use crate::{
    domain::task::{Fired, Task},
    entity::reminder::{Column, Entity},
    error::Error,
    query::sync::{Changes, SyncPlace},
};

/// How much is read at a time: every open stream may hold so much.
const SIZE: usize = 50;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A task has changed; one in the trash is gone.
    Changed(Box<Task>),
    /// A task was reminded of.
    Fired(Fired),
}

/// Some of what happened after a place.
#[derive(Debug)]
pub struct Happened {
    /// Each with the place behind it.
    pub events: Vec<(SyncPlace, Happening)>,
    /// The place behind all of them.
    pub next: SyncPlace,
    /// Whether there is more already.
    pub more: bool,
}

impl Tasks {
    /// What has happened after `after`, oldest first.
    pub async fn happened(&self, owner: &Owner, after: SyncPlace) -> Result<Happened, Error> {
        self.happened_by(owner, after, SIZE).await
    }

    /// The same, `size` events at a time.
    pub(super) async fn happened_by(
        &self,
        owner: &Owner,
        after: SyncPlace,
        size: usize,
    ) -> Result<Happened, Error> {
        let history = self.history(owner).await?;
        self.happened_until(owner, after, history, size).await
    }

    /// The same, up to the end of `history`. Changes and firings are read one after the
    /// other. Numbers are committed in order, so up to an end that was seen before both are
    /// there, whatever happens meanwhile.
    pub(super) async fn happened_until(
        &self,
        owner: &Owner,
        after: SyncPlace,
        history: History,
        size: usize,
    ) -> Result<Happened, Error> {
        history.check(after)?;
        let end = after.behind_all_of(history.latest);
        if after.order() >= end.order() {
            return Ok(Happened { events: Vec::new(), next: after, more: false });
        }
        let changes = self.changes(owner, after, history.latest, size).await?;
        let until = if changes.more { changes.next } else { end };
        let fired = self.fired(owner, after, until, size).await?;
        // What a purge took meanwhile was noted before it was gone.
        self.history(owner).await?.check(after)?;
        Ok(merged(changes, fired, after, end, size))
    }

    /// The task of a reminder, as it is now; `None` if it is gone.
    pub async fn reminded(&self, owner: &Owner, id: Uuid) -> Result<Option<Task>, Error> {
        match find(self.database.reader(), owner, id).await {
            Ok(task) => Ok(Some(task)),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What fired after `after` and not after `until`, one more than `size` if there is.
    async fn fired(
        &self,
        owner: &Owner,
        after: SyncPlace,
        until: SyncPlace,
        size: usize,
    ) -> Result<Vec<Fired>, Error> {
        let rows = owned::<Entity>(self.database.backend(), owner)
            .filter(Column::Revision.gt(after.known()))
            .filter(Column::Revision.lte(until.revision))
            .order_by_asc(Column::Revision)
            .limit(size as u64 + 1)
            .all(self.database.reader())
            .await?;
        Ok(rows.into_iter().filter_map(fired).collect())
    }
}

/// Both in one order, at most `size` of them. A firing has a number of its own.
fn merged(
    changes: Changes,
    fired: Vec<Fired>,
    after: SyncPlace,
    end: SyncPlace,
    size: usize,
) -> Happened {
    let of_tasks = changes
        .tasks
        .into_iter()
        .map(|task| (after.behind(&task), Happening::Changed(Box::new(task))));
    let fired = fired.into_iter().map(|fired| {
        let place = SyncPlace { revision: fired.revision, id: fired.task_id, ..after };
        (place, Happening::Fired(fired))
    });
    let mut events: Vec<_> = of_tasks.chain(fired).collect();
    events.sort_by_key(|(place, _)| place.order());
    let more = changes.more || events.len() > size;
    events.truncate(size);
    let last = events.last().map(|(place, _)| *place);
    Happened { events, next: if more { last.unwrap_or(after) } else { end }, more }
}
