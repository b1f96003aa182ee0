//! The store: tasks in a database. Every method takes an [`Owner`] and sees no other rows, except
//! for system methods: jobs take the proof [`EveryUser`], and erasure takes [`ErasedUser`]. What a
//! method reports as done is on disk.

mod access;
mod batch;
mod change;
mod count;
mod create;
mod details;
mod dialect;
mod distribution;
mod edit;
mod epoch;
mod erasure;
mod export;
mod idempotency;
mod import;
mod import_chunks;
mod import_rows;
mod insert_one;
mod move_task;
mod notify;
mod owned;
mod read;
mod reminder_queries;
mod reminders;
mod retention;
mod revision;
mod row;
mod scope;
mod search;
mod search_index;
mod security_events;
mod selection;
mod spool;
mod spool_folder;
mod statement;
mod sync;
mod system_queries;
mod trash;
mod user_queue;
mod walk;
mod watch;
mod write;

use std::sync::{Arc, RwLock};

use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use server::{
    db::{Database, Pool, ReadRows},
    storage::MinFree,
};
use shared::{auth::Owner, clock::Clock, error::Refusal};
use uuid::Uuid;

use self::{
    access::{Access, Bounds},
    dialect::Dialect,
    owned::{live, owned},
    selection::View,
    statement::Text,
    user_queue::UserQueues,
};
pub use self::{
    distribution::Distribution,
    epoch::Epoch,
    erasure::ErasureProgress,
    export::LiveCursor,
    import::Import,
    move_task::MoveTarget,
    scope::{ErasedUser, EveryUser},
    spool_folder::SpoolFolder,
    watch::{EventPage, StoredEvent},
};
use crate::{
    domain::{quota::Quota, task::Task, timestamp::Timestamp},
    entity::task::Column,
    error::Error,
    notifications::pubsub::PubSub,
    query::{
        filter::Filter,
        page::{Page, PageRequest},
        sort::SortField,
    },
};

/// The store of tasks.
#[derive(Clone)]
pub struct Tasks {
    database: Database,
    clock: Arc<dyn Clock>,
    pubsub: PubSub,
    queues: UserQueues,
    epoch: Arc<RwLock<Epoch>>,
    spools: SpoolFolder,
    quota: Quota,
    bounds: Bounds,
    is_distributed: bool,
}

impl Tasks {
    /// The tasks in `database`, whose tables are migrated.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        let pubsub = PubSub::new(database.backend().is_shared());
        let spools = SpoolFolder::new(std::env::temp_dir(), None, MinFree::default());
        Self {
            database,
            clock,
            pubsub,
            queues: UserQueues::default(),
            epoch: Arc::default(),
            spools,
            quota: Quota::default(),
            bounds: Bounds::default(),
            is_distributed: false,
        }
    }

    /// With this quota for each user.
    pub fn limited_to(self, quota: Quota) -> Self {
        Self { quota, ..self }
    }

    /// With the spools of imports in this folder.
    pub fn spooling_in(self, spools: SpoolFolder) -> Self {
        Self { spools, ..self }
    }

    /// The pub/sub of changes.
    pub fn pubsub(&self) -> &PubSub {
        &self.pubsub
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now(&*self.clock)
    }

    /// One task.
    pub async fn get(&self, owner: &Owner, id: Uuid) -> Result<Task, Error> {
        find(self.database.reader(), owner, id).await
    }

    /// A page of tasks.
    pub async fn list(&self, owner: &Owner, request: &PageRequest) -> Result<Page, Error> {
        let epoch = self.epoch().id;
        if request.after.as_ref().is_some_and(|cursor| cursor.epoch != epoch) {
            return Err(Refusal::PageTokenTooOld.into());
        }
        if !request.filter.is_search() {
            return self.list_on(self.database.reader(), owner, request).await;
        }
        let (tasks, whose, request) = (self.clone(), owner.clone(), request.clone());
        let work = async move { tasks.list_on(tasks.database.scans(), &whose, &request).await };
        self.queues.search(owner.user().as_str(), work).await
    }

    async fn list_on(
        &self,
        reader: &Pool,
        owner: &Owner,
        request: &PageRequest,
    ) -> Result<Page, Error> {
        let view =
            self.view(reader, owner, &request.filter, request.sort.by, self.bounds.few).await?;
        let epoch = self.epoch().id;
        // One more than the page, to know whether the list goes on.
        let enough = request.size + 1;
        let (mut tasks, mut end) = (Vec::new(), None);
        for walk in view.walks(request) {
            let missing = enough - tasks.len();
            if missing == 0 || end.is_some() {
                break;
            }
            if let Some(statement) = walk.unfiltered(missing as u64) {
                tasks.extend(read::tasks(reader, owner, &statement).await?);
                continue;
            }
            end = walk.end(reader, epoch).await?;
            let walk = walk.select(end.as_ref()).limit(missing as u64);
            tasks.extend(read::all(reader, owner, walk).await?);
        }
        let mut page = Page::cut(tasks, end, request, owner.user().as_str(), epoch);
        if request.with_total {
            page.total = self.total(owner, &request.filter).await?;
        }
        Ok(page)
    }

    /// The view of `owner`'s tasks as of now, for `filter`: by an index with fewer than `most` of
    /// them, or in this order.
    async fn view<'a>(
        &self,
        on: &Pool,
        owner: &'a Owner,
        filter: &Filter,
        order: SortField,
        most: u64,
    ) -> Result<View<'a>, Error> {
        let (backend, now) = (self.database.backend(), self.now());
        let (access, bounds, is_distributed) = (Access::Order, self.bounds, self.is_distributed);
        let view = View { backend, owner, now, order, access, common: 0, bounds, is_distributed };
        Ok(view.choose(on, filter, most).await?)
    }

    /// Deletes the expired idempotency keys of all users, and returns their number.
    pub async fn delete_expired_keys(&self, all: EveryUser) -> Result<u64, Error> {
        idempotency::delete_expired_keys(&self.database, all, self.now()).await
    }
}

/// A task outside the trash.
async fn find(on: &impl ReadRows, owner: &Owner, id: Uuid) -> Result<Task, Error> {
    static TEXT: Text = Text::new();
    let backend = on.get_database_backend();
    let build = || read::whole(live(backend, owner).filter(Column::Id.eq(id)).limit(1));
    let values = vec![owner.user().as_str().into(), id.into(), 1_u64.into()];
    let found = read::tasks(on, owner, &TEXT.bind(backend, values, build)).await?.pop();
    found.ok_or_else(|| Refusal::TaskNotFound.into())
}

/// A task, in the trash or not.
async fn find_anywhere(on: &impl ReadRows, owner: &Owner, id: Uuid) -> Result<Task, Error> {
    let selection = owned(on.get_database_backend(), owner).filter(Column::Id.eq(id));
    let found = read::first(on, owner, selection).await?;
    found.ok_or_else(|| Refusal::TaskNotFound.into())
}

#[cfg(test)]
mod tests;
