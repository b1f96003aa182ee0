//! Whole calls through the gate, in process: what a caller is told, and in which order.

use std::{sync::Arc, time::Duration};

use fixtures::{Backend, FreshDatabase};
use shared::{
    auth::{Keyring, Profile, Secret, TokenIssuer, TokenPolicy, TokenVerifier, UserId},
    clock::{Clock, SystemClock},
    db::Database,
    proto::task::v1::task_service_client::TaskServiceClient,
};
use tonic::Code;
use tonic_types::StatusExt;

use super::*;
use crate::migration::Migrator;

struct World {
    _fresh: FreshDatabase,
    database: Database,
    gate: Gate,
    issuer: TokenIssuer,
    clock: Arc<dyn Clock>,
}

impl World {
    async fn start() -> Self {
        let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("a database");
        let database = Database::connect(&fresh.url()).await.expect("a connection");
        database.migrate::<Migrator>().await.expect("tables");
        let secret = Secret::parse("0b5f1c9e7a3d48626e2f9b04c7d1583a".into());
        let keys = Arc::new(Keyring::new(&secret.unwrap_or_else(|_| panic!("strong")), &[]));
        let ttl = Duration::from_mins(15);
        let policy =
            TokenPolicy { issuer: None, audience: None, leeway: Duration::ZERO, max_lifetime: ttl };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let issuer = TokenIssuer::new(keys.clone(), policy.clone(), ttl, clock.clone());
        let gate = Gate::new(TokenVerifier::new(keys, policy, clock.clone()));
        Self { _fresh: fresh, database, gate, issuer, clock }
    }

    /// A client of the guarded service. There is no other kind.
    fn client(&self) -> TaskServiceClient<Guarded> {
        let tasks = Tasks::new(self.database.clone(), self.clock.clone());
        TaskServiceClient::new(guarded(&self.gate, tasks))
    }

    fn by<T>(&self, user: &str, message: T) -> Request<T> {
        let token = self
            .issuer
            .issue(&UserId::parse(user).expect("an id"), Profile::default())
            .expect("a token")
            .token;
        let mut request = Request::new(message);
        let value = format!("Bearer {token}").parse().expect("a header value");
        request.metadata_mut().insert("authorization", value);
        request
    }
}

fn get(user_id: &str, id: &str) -> pb::GetTaskRequest {
    pb::GetTaskRequest { user_id: user_id.into(), id: id.into() }
}

#[tokio::test]
async fn whoever_asks_is_checked_before_what_is_asked() {
    let world = World::start().await;
    let mut client = world.client();
    let faulty = pb::CreateTaskRequest { user_id: "alice".into(), ..Default::default() };
    let told = client.create_task(Request::new(faulty.clone())).await.expect_err("no token");
    assert_eq!(told.code(), Code::Unauthenticated);
    let told = client.create_task(world.by("bob", faulty.clone())).await.expect_err("not his");
    assert_eq!(told.code(), Code::PermissionDenied);
    let told = client.create_task(world.by("alice", faulty)).await.expect_err("no title");
    assert_eq!(told.code(), Code::InvalidArgument);
    let violations = told.get_details_bad_request().expect("violations").field_violations;
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].field, "title");
}

#[tokio::test]
async fn a_foreign_an_unknown_and_a_malformed_id_get_the_very_same_answer() {
    let world = World::start().await;
    let mut client = world.client();
    let new = pb::CreateTaskRequest {
        user_id: "alice".into(),
        title: "hers".into(),
        ..Default::default()
    };
    let made = client.create_task(world.by("alice", new)).await.expect("created").into_inner();
    let id = made.task.expect("a task").id;
    let mut answers = Vec::new();
    for id in [id.as_str(), "018bcfe5-687b-7aaa-8bbb-0123456789ab", "", "nonsense"] {
        let told = client.get_task(world.by("bob", get("bob", id))).await.expect_err("not his");
        let reason = told.get_details_error_info().expect("a reason").reason;
        assert_eq!((told.code(), reason.as_str()), (Code::NotFound, "TASK_NOT_FOUND"));
        answers.push((told.message().to_owned(), told.details().to_vec()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    let own = client.get_task(world.by("alice", get("alice", &id))).await.expect("hers");
    assert_eq!(own.into_inner().task.expect("a task").title, "hers");
}

#[tokio::test]
async fn a_faulty_field_is_told_before_an_unknown_id() {
    let world = World::start().await;
    let mut client = world.client();
    let nothing = pb::UpdateTaskRequest {
        user_id: "alice".into(),
        id: "nonsense".into(),
        ..Default::default()
    };
    let told = client.update_task(world.by("alice", nothing.clone())).await.expect_err("faulty");
    assert_eq!(told.code(), Code::InvalidArgument);
    let something = pb::UpdateTaskRequest { completed: Some(true), ..nothing };
    let told = client.update_task(world.by("alice", something)).await.expect_err("unknown");
    assert_eq!(told.code(), Code::NotFound);
}
