//! Changes of one task: update, toggle, skip.

use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter};
use shared::{auth::Owner, error::Refusal};
use uuid::Uuid;

use super::{
    Tasks,
    change::{Change, Outcome},
    find,
    owned::owned,
    write::{insert_next, replace},
};
use crate::{
    domain::{
        etag::Etag,
        task::{Task, TaskPatch},
        timestamp::Timestamp,
    },
    entity::task::{Column, Entity},
    error::Error,
};

impl Tasks {
    /// Applies `patch`, if the task is at the version `etag`. A completed task that repeats is
    /// followed by its next, once.
    pub async fn update(
        &self,
        owner: &Owner,
        id: Uuid,
        patch: TaskPatch,
        etag: Option<&Etag>,
    ) -> Result<Task, Error> {
        self.edit(owner, id, etag, |task, now| Ok(task.apply(patch, now)?)).await
    }

    /// Completes an open task and reopens a completed one.
    pub async fn toggle(
        &self,
        owner: &Owner,
        id: Uuid,
        etag: Option<&Etag>,
    ) -> Result<Task, Error> {
        let toggle = |task: &mut Task, now| {
            let patch = TaskPatch::completed(!task.completed());
            Ok(task.apply(patch, now)?)
        };
        self.edit(owner, id, etag, toggle).await
    }

    /// Moves a task that repeats to its next occurrence.
    pub async fn skip(&self, owner: &Owner, id: Uuid, etag: Option<&Etag>) -> Result<Task, Error> {
        let skip = |task: &mut Task, now| {
            task.skip(now)?;
            Ok(true)
        };
        self.edit(owner, id, etag, skip).await
    }

    /// Applies `edit`, which returns whether anything changed.
    async fn edit(
        &self,
        owner: &Owner,
        id: Uuid,
        etag: Option<&Etag>,
        edit: impl FnOnce(&mut Task, Timestamp) -> Result<bool, Error> + Send,
    ) -> Result<Task, Error> {
        let change = Change::begin(self, owner).await?;
        let now = self.now();
        let outcome = edit_in(&change, owner, id, etag, now, edit).await;
        change.end(outcome).await
    }
}

async fn edit_in(
    change: &Change,
    owner: &Owner,
    id: Uuid,
    etag: Option<&Etag>,
    now: Timestamp,
    edit: impl FnOnce(&mut Task, Timestamp) -> Result<bool, Error> + Send,
) -> Result<Outcome<Task>, Error> {
    let before = find(&change.transaction, owner, id).await?;
    check_etag(etag, &before)?;
    let mut task = before.clone();
    if !edit(&mut task, now)? {
        return Ok(Outcome::Unchanged(task));
    }
    save(change, owner, &before, &mut task, now, 0).await?;
    Ok(Outcome::Changed(task))
}

/// Whether another task, in the trash or not, has the occurrence of `task`; both may be imported.
async fn occurrence_exists(change: &Change, owner: &Owner, task: &Task) -> Result<bool, Error> {
    let Some(series) = task.series else { return Ok(false) };
    let others = owned::<Entity>(change.transaction.backend(), owner)
        .filter(Column::SeriesId.eq(series.id))
        .filter(Column::Occurrence.eq(series.occurrence))
        .filter(Column::Id.ne(task.id));
    Ok(others.count(&change.transaction).await? > 0)
}

/// Stores the changed task, and its next if it was completed and repeats; `index` numbers the tasks
/// of the change.
pub async fn save(
    change: &Change,
    owner: &Owner,
    before: &Task,
    task: &mut Task,
    now: Timestamp,
    index: usize,
) -> Result<(), Error> {
    let occurrence = |task: &Task| task.series.map(|series| (series.id, series.occurrence));
    if occurrence(task) != occurrence(before) && occurrence_exists(change, owner, task).await? {
        match &mut task.series {
            // The id of the series is used by another one.
            Some(series) if series.occurrence == 1 => series.id = now.new_id(),
            _ => return Err(Refusal::NotRepeating.into()),
        }
    }
    let successor = task.successor(now, change.revision, index);
    replace(change, owner, before, task, now).await?;
    match successor {
        Some(successor) => insert_next(change, owner, &successor, now).await,
        None => Ok(()),
    }
}

/// Checks the precondition of a change, if there is one.
pub fn check_etag(wanted: Option<&Etag>, task: &Task) -> Result<(), Error> {
    match wanted {
        Some(wanted) if !wanted.is_of(task.revision) => Err(Refusal::StaleEtag.into()),
        _ => Ok(()),
    }
}
