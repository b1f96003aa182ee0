//! The fixture of the suite: a store on a fresh database, a manual clock, and owners.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use fixtures::FreshDatabase;
use server::db::Database;
use shared::{auth::Owner, clock::ManualClock, error::Refusal};
use uuid::Uuid;

pub use crate::world::{erased_user, every_user, owner};
use crate::{
    domain::{
        request_id::RequestId,
        task::{Content, NewTask, Task, TaskPatch, sample},
    },
    error::Error,
    migration::Migrator,
    query::{
        filter::Filter,
        page::{Page, PageCursor, PageRequest},
        sort::Sort,
    },
    store::{Tasks, access::Bounds},
};

/// A store on a fresh database.
pub struct World {
    pub tasks: Tasks,
    pub database: Database,
    pub clock: Arc<ManualClock>,
}

/// A new task with this title and nothing else.
pub fn titled(title: &str) -> Content {
    sample(title)
}

/// A creation with an idempotency key.
pub fn requested(title: &str, request_id: &str) -> NewTask {
    with_key(titled(title), request_id)
}

/// A new task with this content and a request id.
pub fn with_key(content: Content, request_id: &str) -> NewTask {
    let request_id = RequestId::parse(request_id.into()).expect("a request id");
    NewTask { content, request_id: Some(request_id) }
}

/// The first page, as large as pages get.
pub fn first_page() -> PageRequest {
    let (sort, filter) = (Sort::NEWEST, Filter::default());
    PageRequest { size: 200, after: None, filter, sort, with_total: false }
}

/// The filter by state alone.
pub fn in_state(completed: Option<bool>) -> Filter {
    Filter { completed, ..Filter::default() }
}

/// The request of this user for the page after `page`.
pub fn after(user_id: &str, page: &Page, request: &PageRequest) -> PageRequest {
    let token = page.next.as_deref().expect("a next page");
    let cursor = PageCursor::parse(token, request.sort, Some(&request.filter), user_id);
    let cursor = cursor.expect("a cursor");
    PageRequest { after: Some(cursor), ..request.clone() }
}

impl Tasks {
    /// Marks a task done, whatever its version.
    pub async fn complete(&self, owner: &Owner, id: Uuid) -> Result<Task, Error> {
        self.update(owner, id, TaskPatch::completed(true), None).await
    }

    /// Marks a task open, whatever its version.
    pub async fn reopen(&self, owner: &Owner, id: Uuid) -> Result<Task, Error> {
        self.update(owner, id, TaskPatch::completed(false), None).await
    }
}

impl World {
    /// A store on `fresh`, at a fixed time.
    pub async fn on(fresh: &FreshDatabase) -> Self {
        let database = Database::connect(&fresh.url()).await.expect("a connection");
        database.migrate::<Migrator>().await.expect("tables");
        let start = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
        let clock = Arc::new(ManualClock::at(start));
        let tasks = Tasks::new(database.clone(), clock.clone());
        tasks.read_epoch().await.expect("an epoch");
        Self { tasks, database, clock }
    }

    /// The same store, whose pages read this much of an order, and of conditions that few tasks match.
    pub fn reading(&self, bounds: Bounds) -> Self {
        let tasks = Tasks { bounds, ..self.tasks.clone() };
        Self { tasks, database: self.database.clone(), clock: self.clock.clone() }
    }

    /// The same store, whose statements are those for distributed tables.
    pub fn distributed(&self) -> Self {
        let tasks = Tasks { is_distributed: true, ..self.tasks.clone() };
        Self { tasks, database: self.database.clone(), clock: self.clock.clone() }
    }

    /// A stored task of `owner`.
    pub async fn made(&self, owner: &Owner, title: &str) -> Task {
        self.tasks.create(owner, titled(title)).await.expect("created")
    }

    /// The titles of the first page of `owner`.
    pub async fn titles(&self, owner: &Owner) -> Vec<String> {
        let page = self.tasks.list(owner, &first_page()).await.expect("a page");
        page.tasks.into_iter().map(|task| task.content.title.into_string()).collect()
    }

    /// Moves the clock.
    pub fn later(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }
}

/// Whether the error is that of an unknown task.
pub fn not_found<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Refused(Refusal::TaskNotFound)))
}
