//! The store: tasks in a database. Every method takes an [`Owner`] and sees no other rows, except
//! for system methods: jobs take the proof [`EveryUser`], and erasure takes [`ErasedUser`]. What a
//! method reports as done is on disk.

mod batch;
mod change;
mod count;
mod create;
mod details;
mod dialect;
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
mod watch;
mod write;

use std::sync::{Arc, RwLock};

use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QuerySelect};
use server::{
    db::{Database, Pool, ReadRows},
    storage::MinFree,
};
use shared::{auth::Owner, clock::Clock, error::Refusal};
use uuid::Uuid;

use self::{
    dialect::Dialect,
    owned::{live, owned},
    selection::View,
    statement::Text,
    user_queue::UserQueues,
};
pub use self::{
    epoch::Epoch,
    erasure::ErasureProgress,
    export::LiveCursor,
    import::Import,
    move_task::MoveTarget,
    scope::{ErasedUser, EveryUser},
    spool_folder::SpoolFolder,
    watch::StoredEvent,
};
use crate::{
    domain::{quota::Quota, task::Task, timestamp::Timestamp},
    entity::task::Column,
    error::Error,
    notifications::pubsub::PubSub,
    query::{
        filter::Filter,
        page::{Page, PageRequest},
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
        let view = self.view(owner, &request.filter).await?;
        // One more than the page, to know whether the list goes on.
        let enough = request.size + 1;
        let mut tasks = Vec::new();
        for walk in view.walks(request) {
            let missing = enough - tasks.len();
            if missing == 0 {
                break;
            }
            tasks.extend(read::all(reader, owner, walk.limit(missing as u64)).await?);
        }
        let mut page = Page::cut(tasks, request, self.epoch().id);
        if request.with_total {
            page.total = Some(self.total(owner, &request.filter).await?);
        }
        Ok(page)
    }

    /// The number of tasks that match `filter`.
    async fn total(&self, owner: &Owner, filter: &Filter) -> Result<u64, Error> {
        let (tasks, whose, filter) = (self.clone(), owner.clone(), filter.clone());
        let work = async move {
            let view = tasks.view(&whose, &filter).await?;
            Ok(view.matching(&filter).count(tasks.database.scans()).await?)
        };
        self.queues.count(owner.user().as_str(), work).await
    }

    /// The view of `owner`'s tasks for `filter`, as of now.
    async fn view<'a>(&self, owner: &'a Owner, filter: &Filter) -> Result<View<'a>, Error> {
        let user_id = owner.user().as_str();
        Ok(View {
            backend: self.database.backend(),
            owner,
            now: self.now(),
            is_by_words: search::reads_index_first(self.database.scans(), user_id, filter).await?,
        })
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
