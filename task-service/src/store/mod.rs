//! Tasks in a database. Every method but the sweep acts for one owner and sees nothing
//! else; what it reports as done is on disk.

mod change;
mod owned;
mod requests;
mod row;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use sea_orm::{
    ColumnTrait, ConnectionTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};
use shared::{auth::Owner, clock::Clock, db::Database};
use uuid::Uuid;

use self::{
    change::{Change, Outcome},
    owned::{owned, owned_delete, owned_insert, owned_update},
};
use crate::{
    entity::task::{Column, Entity},
    error::Error,
    etag::Etag,
    fingerprint::fingerprint,
    moment::Moment,
    page::{Page, PageRequest},
    task::{NewTask, Task, TaskPatch},
};

/// The tasks of all users, one owner at a time.
#[derive(Clone)]
pub struct Tasks {
    database: Database,
    clock: Arc<dyn Clock>,
}

impl Tasks {
    /// The tasks in `database`, whose tables are up to date.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock }
    }

    /// Stores a new task. With a request id that was used for the same body in the last 24
    /// hours, returns the task it made then, as it is now.
    pub async fn create(&self, owner: &Owner, new: NewTask) -> Result<Task, Error> {
        let change = Change::begin(&self.database, owner).await?;
        let outcome = self.create_in(&change, owner, new).await;
        change.end(outcome).await
    }

    async fn create_in(
        &self,
        change: &Change,
        owner: &Owner,
        mut new: NewTask,
    ) -> Result<Outcome<Task>, Error> {
        let now = Moment::now(&*self.clock);
        let Some(request_id) = new.request_id.take() else {
            return insert(change, owner, new, now).await.map(Outcome::Changed);
        };
        let fingerprint = fingerprint(&new);
        if let Some(made) = requests::find(change, owner, &request_id, &fingerprint, now).await? {
            return match find(&change.transaction, owner, made).await {
                Err(Error::NotFound) => Err(Error::RequestIdReused),
                found => found.map(Outcome::Unchanged),
            };
        }
        let task = insert(change, owner, new, now).await?;
        requests::remember(change, owner, &request_id, fingerprint, task.id, now).await?;
        Ok(Outcome::Changed(task))
    }

    /// One task.
    pub async fn get(&self, owner: &Owner, id: Uuid) -> Result<Task, Error> {
        find(self.database.reader(), owner, id).await
    }

    /// A page of tasks, newest first, ties broken by id.
    pub async fn list(&self, owner: &Owner, request: &PageRequest) -> Result<Page, Error> {
        let rows = selection(owner, request).all(self.database.reader()).await?;
        let tasks = rows.into_iter().map(Task::try_from).collect::<Result<_, _>>()?;
        let mut page = Page::cut(tasks, request);
        if request.counted {
            let all = matching(owner, request.completed);
            page.total = Some(all.count(self.database.reader()).await?);
        }
        Ok(page)
    }

    /// Changes what `patch` names, if the task is still at the version `etag` names.
    pub async fn update(
        &self,
        owner: &Owner,
        id: Uuid,
        patch: TaskPatch,
        etag: Option<&Etag>,
    ) -> Result<Task, Error> {
        self.change(owner, id, etag, |_| patch).await
    }

    /// Marks a task done; the first time counts.
    pub async fn complete(&self, owner: &Owner, id: Uuid) -> Result<Task, Error> {
        self.change(owner, id, None, |_| TaskPatch::completed(true)).await
    }

    /// Marks a task open.
    pub async fn reopen(&self, owner: &Owner, id: Uuid) -> Result<Task, Error> {
        self.change(owner, id, None, |_| TaskPatch::completed(false)).await
    }

    /// Completes an open task and reopens a completed one.
    pub async fn toggle(&self, owner: &Owner, id: Uuid) -> Result<Task, Error> {
        self.change(owner, id, None, |task| TaskPatch::completed(!task.completed())).await
    }

    /// Deletes a task, if it is still at the version `etag` names. The request id that
    /// made it stays used.
    pub async fn delete(&self, owner: &Owner, id: Uuid, etag: Option<&Etag>) -> Result<(), Error> {
        let change = Change::begin(&self.database, owner).await?;
        let outcome = delete_in(&change, owner, id, etag).await;
        change.end(outcome).await
    }

    /// Forgets request ids that have expired, of all users, and tells how many. It is not
    /// a user's call, and nobody can tell that it happened.
    pub async fn forget_expired_requests(&self) -> Result<u64, Error> {
        requests::forget_expired(&self.database, Moment::now(&*self.clock)).await
    }

    async fn change(
        &self,
        owner: &Owner,
        id: Uuid,
        etag: Option<&Etag>,
        patch: impl FnOnce(&Task) -> TaskPatch + Send,
    ) -> Result<Task, Error> {
        let change = Change::begin(&self.database, owner).await?;
        let outcome = self.change_in(&change, owner, id, etag, patch).await;
        change.end(outcome).await
    }

    async fn change_in(
        &self,
        change: &Change,
        owner: &Owner,
        id: Uuid,
        etag: Option<&Etag>,
        patch: impl FnOnce(&Task) -> TaskPatch + Send,
    ) -> Result<Outcome<Task>, Error> {
        let mut task = find(&change.transaction, owner, id).await?;
        check(etag, &task)?;
        let patch = patch(&task);
        if !task.apply(patch, Moment::now(&*self.clock)) {
            return Ok(Outcome::Unchanged(task));
        }
        task.revision = change.revision;
        let update = owned_update::<Entity>(owner).set(row::changeable(&task));
        let done = update.filter(Column::Id.eq(id)).exec(&change.transaction).await?;
        if done.rows_affected == 1 { Ok(Outcome::Changed(task)) } else { Err(Error::NotFound) }
    }
}

async fn find(on: &impl ConnectionTrait, owner: &Owner, id: Uuid) -> Result<Task, Error> {
    let row = owned::<Entity>(owner).filter(Column::Id.eq(id)).one(on).await?;
    row.ok_or(Error::NotFound)?.try_into()
}

async fn insert(change: &Change, owner: &Owner, new: NewTask, now: Moment) -> Result<Task, Error> {
    let task = Task::new(owner.user().as_str(), new, now, change.revision);
    owned_insert(owner, row::whole(&task)).exec_without_returning(&change.transaction).await?;
    Ok(task)
}

async fn delete_in(
    change: &Change,
    owner: &Owner,
    id: Uuid,
    etag: Option<&Etag>,
) -> Result<Outcome<()>, Error> {
    if etag.is_some() {
        check(etag, &find(&change.transaction, owner, id).await?)?;
    }
    let delete = owned_delete::<Entity>(owner).filter(Column::Id.eq(id));
    let done = delete.exec(&change.transaction).await?;
    if done.rows_affected == 1 { Ok(Outcome::Changed(())) } else { Err(Error::NotFound) }
}

/// Whether `task` is at the version the caller wants it to be at, if it does.
fn check(wanted: Option<&Etag>, task: &Task) -> Result<(), Error> {
    match wanted {
        Some(wanted) if *wanted != Etag::of(task.revision) => Err(Error::Stale),
        _ => Ok(()),
    }
}

/// One task more than the page holds, to see whether the list goes on. The place is
/// compared as a row value, which both databases look up in the index.
fn selection(owner: &Owner, request: &PageRequest) -> Select<Entity> {
    let mut selection = matching(owner, request.completed);
    if let Some(place) = request.after {
        let columns = [Column::CreatedAt, Column::Id].map(|column| Expr::col((Entity, column)));
        let values = [Expr::val(place.created_at.micros()), Expr::val(place.id)];
        selection = selection.filter(Expr::tuple(columns).lt(Expr::tuple(values)));
    }
    selection
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(request.size as u64 + 1)
}

/// The owner's tasks in this state.
fn matching(owner: &Owner, completed: Option<bool>) -> Select<Entity> {
    let all = owned::<Entity>(owner);
    match completed {
        Some(completed) => all.filter(Column::Completed.eq(completed)),
        None => all,
    }
}
