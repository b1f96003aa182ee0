//! Tasks in a database. Every method acts for one owner and sees nothing else, but for
//! those that no user calls: what fires, sweeps and indexes takes the proof of who acts for
//! [`EveryUser`], and what is left of an account goes at a service's word ([`Departed`]). What a
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
mod sync;
mod system_queries;
mod trash;
mod user_queue;
mod watch;
mod write;

use std::sync::{Arc, RwLock};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, PaginatorTrait, QueryFilter, QuerySelect,
    Select,
};
use server::{db::Database, storage::MinFree};
use shared::{auth::Owner, clock::Clock};
use uuid::Uuid;

use self::{
    dialect::Dialect,
    owned::{live, owned},
    row::Row,
    selection::View,
    user_queue::Turns,
};
pub use self::{
    epoch::Epoch,
    erasure::Removed,
    export::Exported,
    import::Import,
    move_task::Target,
    scope::{Departed, EveryUser},
    spool_folder::SpoolFolder,
    watch::Happening,
};
use crate::{
    domain::{quota::Quota, task::Task, timestamp::Moment},
    entity::task::{Column, Entity},
    error::Error,
    notifications::pubsub::Hub,
    query::{
        filter::Filter,
        page::{Page, PageRequest},
    },
};

/// The tasks of all users, one owner at a time.
#[derive(Clone)]
pub struct Tasks {
    database: Database,
    clock: Arc<dyn Clock>,
    hub: Hub,
    turns: Turns,
    epoch: Arc<RwLock<Epoch>>,
    spools: SpoolFolder,
    quota: Quota,
}

impl Tasks {
    /// The tasks in `database`, whose tables are up to date.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        let hub = Hub::new(database.backend().is_shared());
        let spools = SpoolFolder::new(std::env::temp_dir(), None, MinFree::default());
        Self {
            database,
            clock,
            hub,
            turns: Turns::default(),
            epoch: Arc::default(),
            spools,
            quota: Quota::default(),
        }
    }

    /// The same, with so much for each user.
    pub fn limited_to(self, quota: Quota) -> Self {
        Self { quota, ..self }
    }

    /// The same, with imports held back in `spools`.
    pub fn spooling_in(self, spools: SpoolFolder) -> Self {
        Self { spools, ..self }
    }

    /// Wakes whoever watches them when something has changed.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// What time it is for them.
    pub fn now(&self) -> Moment {
        Moment::now(&*self.clock)
    }

    /// One task.
    pub async fn get(&self, owner: &Owner, id: Uuid) -> Result<Task, Error> {
        find(self.database.reader(), owner, id).await
    }

    /// A page of tasks, as sorted, ties broken by id.
    pub async fn list(&self, owner: &Owner, request: &PageRequest) -> Result<Page, Error> {
        let epoch = self.epoch().id;
        if request.after.as_ref().is_some_and(|place| place.epoch != epoch) {
            return Err(Error::PageTooOld);
        }
        if !request.filter.is_search() {
            return self.list_on(self.database.reader(), owner, request).await;
        }
        let (tasks, whose, request) = (self.clone(), owner.clone(), request.clone());
        let work = async move { tasks.list_on(tasks.database.scans(), &whose, &request).await };
        self.turns.search(owner.user().as_str(), work).await
    }

    async fn list_on(
        &self,
        reader: &DatabaseConnection,
        owner: &Owner,
        request: &PageRequest,
    ) -> Result<Page, Error> {
        let view = self.view(owner, &request.filter).await?;
        // One more than the page holds, to see whether the list goes on.
        let enough = request.size + 1;
        let mut tasks = Vec::new();
        for walk in view.walks(request) {
            let missing = enough - tasks.len();
            if missing == 0 {
                break;
            }
            let walk = walk.limit(missing as u64).into_partial_model::<Row>();
            let rows = walk.all(reader).await?;
            tasks.reserve(rows.len());
            for row in rows {
                tasks.push(row.of(owner)?);
            }
        }
        let mut page = Page::cut(tasks, request, self.epoch().id);
        if request.counted {
            page.total = Some(self.total(owner, &request.filter).await?);
        }
        Ok(page)
    }

    /// How many tasks pass `filter`.
    async fn total(&self, owner: &Owner, filter: &Filter) -> Result<u64, Error> {
        let (tasks, whose, filter) = (self.clone(), owner.clone(), filter.clone());
        let work = async move {
            let view = tasks.view(&whose, &filter).await?;
            Ok(view.matching(&filter).count(tasks.database.scans()).await?)
        };
        self.turns.count(owner.user().as_str(), work).await
    }

    /// The tasks of `owner` as they are now, looked at for what passes `filter`.
    async fn view<'a>(&self, owner: &'a Owner, filter: &Filter) -> Result<View<'a>, Error> {
        let user_id = owner.user().as_str();
        Ok(View {
            backend: self.database.backend(),
            owner,
            now: self.now(),
            is_by_words: search::comes_first(self.database.scans(), user_id, filter).await?,
        })
    }

    /// Forgets request ids that have expired, of all users, and tells how many. Nobody can
    /// tell that it happened.
    pub async fn forget_expired_requests(&self, all: EveryUser) -> Result<u64, Error> {
        idempotency::forget_expired(&self.database, all, self.now()).await
    }
}

/// A task outside the trash.
async fn find(on: &impl ConnectionTrait, owner: &Owner, id: Uuid) -> Result<Task, Error> {
    one(on, owner, live(on.get_database_backend(), owner).filter(Column::Id.eq(id))).await
}

/// A task, in the trash or not.
async fn find_anywhere(on: &impl ConnectionTrait, owner: &Owner, id: Uuid) -> Result<Task, Error> {
    one(on, owner, owned::<Entity>(on.get_database_backend(), owner).filter(Column::Id.eq(id)))
        .await
}

async fn one(
    on: &impl ConnectionTrait,
    owner: &Owner,
    selection: Select<Entity>,
) -> Result<Task, Error> {
    let row = selection.into_partial_model::<Row>().one(on).await?;
    row.ok_or(Error::NotFound)?.of(owner)
}

#[cfg(test)]
mod tests;
