//! What every case needs: a store on a fresh database, a clock to move, and owners.

use std::{sync::Arc, time::Duration};

use crate::{
    error::Error,
    migration::Migrator,
    page::{Page, PageRequest, Place},
    request_id::RequestId,
    store::Tasks,
    task::{Description, NewTask, Priority, Task, Title},
};
use chrono::{DateTime, TimeDelta};
use fixtures::FreshDatabase;
use shared::{
    auth::{Keyring, Owner, Profile, Secret, TokenIssuer, TokenPolicy, TokenVerifier, UserId},
    clock::ManualClock,
    db::Database,
};

/// A store on a fresh database.
pub struct World {
    pub tasks: Tasks,
    pub database: Database,
    pub clock: Arc<ManualClock>,
}

/// The owner a real token of `user` makes.
pub fn owner(user: &str) -> Owner {
    let secret = Secret::parse("0b5f1c9e7a3d48626e2f9b04c7d1583a".into())
        .unwrap_or_else(|_| panic!("strong"));
    let keys = Arc::new(Keyring::new(&secret, &[]));
    let policy = TokenPolicy {
        issuer: None,
        audience: None,
        leeway: Duration::ZERO,
        max_lifetime: Duration::from_mins(15),
    };
    let clock = Arc::new(shared::clock::SystemClock);
    let ttl = Duration::from_mins(15);
    let issuer = TokenIssuer::new(keys.clone(), policy.clone(), ttl, clock.clone());
    let token = issuer
        .issue(&UserId::parse(user).expect("an id"), Profile::default())
        .expect("a token")
        .token;
    let principal = TokenVerifier::new(keys, policy, clock).verify(&token).expect("valid");
    principal.owning(user).expect("the same user")
}

/// A new task with this title and nothing else.
pub fn titled(title: &str) -> NewTask {
    NewTask {
        title: Title::parse(title).expect("a title"),
        description: Description::default(),
        priority: Priority::Medium,
        request_id: None,
    }
}

/// The same with a request id.
pub fn requested(title: &str, request_id: &str) -> NewTask {
    NewTask {
        request_id: Some(RequestId::parse(request_id.into()).expect("a request id")),
        ..titled(title)
    }
}

/// The first page, as large as pages get.
pub fn first_page() -> PageRequest {
    PageRequest { size: 200, after: None, completed: None, counted: false }
}

/// The request for the page after `page`.
pub fn after(page: &Page, request: &PageRequest) -> PageRequest {
    let token = page.next.as_deref().expect("a next page");
    let place = Place::parse(token, request.completed).expect("a place");
    PageRequest { after: Some(place), ..request.clone() }
}

impl World {
    /// A store on `fresh`, at a fixed time.
    pub async fn on(fresh: &FreshDatabase) -> Self {
        let database = Database::connect(&fresh.url()).await.expect("a connection");
        database.migrate::<Migrator>().await.expect("tables");
        let start = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
        let clock = Arc::new(ManualClock::at(start));
        let tasks = Tasks::new(database.clone(), clock.clone());
        Self { tasks, database, clock }
    }

    /// A stored task of `owner`.
    pub async fn made(&self, owner: &Owner, title: &str) -> Task {
        self.tasks.create(owner, titled(title)).await.expect("created")
    }

    /// The titles of the first page of `owner`.
    pub async fn titles(&self, owner: &Owner) -> Vec<String> {
        let page = self.tasks.list(owner, &first_page()).await.expect("a page");
        page.tasks.into_iter().map(|task| task.title).collect()
    }

    /// Moves the clock.
    pub fn later(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }
}

/// Whether the store says that there is no such task.
pub fn not_found<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::NotFound))
}
