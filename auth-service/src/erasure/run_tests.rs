//! Erasures are carried out against a scripted task-service.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use fixtures::{Backend, FreshDatabase};
use proto::task::v1::{
    self as pb,
    task_admin_service_server::{TaskAdminService, TaskAdminServiceServer},
};
use sea_orm::ConnectionTrait;
use server::{
    ClientInfo, Loopback,
    audit_log::{AuditLog, Event, EventKind, Record},
};
use shared::{
    auth::{Keyring, Secret, ServiceGate, ServicePrincipal},
    clock::ManualClock,
};
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};
use tonic::{
    Request, Response, Status,
    transport::server::{Server, TcpIncoming},
};

use super::*;
use crate::{
    email::Email,
    profile::Image,
    rate_limit::InvalidTokens,
    session::{SessionRules, Sessions, Stay},
    store::{NewUser, Precondition},
    task_client::TaskServiceAddress,
};

/// The audit record of a deletion.
fn deleted(id: &str) -> Record {
    AuditLog::default().new_record(Event::of(EventKind::AccountDeleted, id))
}

/// The calls so far, and the responses to come.
#[derive(Default)]
struct Script {
    asked: HashMap<String, u32>,
    failures: u32,
    pieces: u32,
    epoch: u32,
}

#[derive(Clone, Default)]
struct Scripted(Arc<Mutex<Script>>);

#[tonic::async_trait]
impl TaskAdminService for Scripted {
    type WatchRemindersStream =
        futures_util::stream::Empty<Result<pb::WatchRemindersResponse, Status>>;

    async fn watch_reminders(
        &self,
        _: Request<pb::WatchRemindersRequest>,
    ) -> Result<Response<Self::WatchRemindersStream>, Status> {
        unreachable!("nobody asks")
    }

    async fn purge_user(
        &self,
        request: Request<pb::PurgeUserRequest>,
    ) -> Result<Response<pb::PurgeUserResponse>, Status> {
        assert_eq!(ServicePrincipal::of(&request)?.name(), "auth-service");
        let mut script = self.script();
        *script.asked.entry(request.into_inner().user_id).or_default() += 1;
        if script.failures > 0 {
            script.failures -= 1;
            return Err(Status::unavailable("away"));
        }
        let done = script.pieces == 0;
        script.pieces = script.pieces.saturating_sub(1);
        Ok(Response::new(pb::PurgeUserResponse { done, tasks: 1 }))
    }

    async fn get_database_epoch(
        &self,
        request: Request<pb::GetDatabaseEpochRequest>,
    ) -> Result<Response<pb::GetDatabaseEpochResponse>, Status> {
        assert_eq!(ServicePrincipal::of(&request)?.name(), "auth-service");
        let epoch = self.script().epoch.to_string();
        Ok(Response::new(pb::GetDatabaseEpochResponse { epoch }))
    }
}

impl Scripted {
    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self, user: &str) -> u32 {
        self.script().asked.get(user).copied().unwrap_or_default()
    }
}

struct Scene {
    store: Store,
    clock: Arc<ManualClock>,
    keys: Arc<Keyring>,
    erasures: Erasures,
    tasks: Scripted,
    client: TaskClient,
    jobs: [JoinHandle<()>; 2],
    _database: FreshDatabase,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.jobs.iter().for_each(JoinHandle::abort);
    }
}

impl Scene {
    async fn start(tasks: Scripted) -> Self {
        let database = FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
        let store = Store::open(&database.url()).await.expect("opens");
        let start = DateTime::from_timestamp(1_700_000_000, 0).expect("a moment");
        let clock = Arc::new(ManualClock::at(start));
        let secret = Secret::parse("0b5f1c9e7a3d48626e2f9b04c7d1583a".into());
        let keys = Arc::new(Keyring::new(&secret.unwrap_or_else(|_| panic!("strong")), &[]));

        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", socket.local_addr().expect("an address"));
        let gate =
            ServiceGate::new(keys.clone(), "task-service/admin", Duration::ZERO, clock.clone());
        let service = gate.guard(TaskAdminServiceServer::new(tasks.clone()));
        let serving = Server::builder().add_service(service);
        let serving = serving.serve_with_incoming(TcpIncoming::from(socket));
        let serving = tokio::spawn(async move { serving.await.expect("serves") });

        let address = TaskServiceAddress::Clear(url.parse().expect("an address"));
        let client = TaskClient::new(&address, &Loopback::default(), keys.clone(), clock.clone());
        let client = client.expect("a name").expect("an address");
        let erasures = Erasures::new(store.clone(), Duration::from_mins(15), clock.clone());
        let working = tokio::spawn(erasures.clone().run(client.clone()));
        let jobs = [serving, working];
        Self { store, clock, keys, erasures, tasks, client, jobs, _database: database }
    }

    async fn sign_up(&self, id: &str) {
        let rules = SessionRules::default();
        let invalid_tokens = InvalidTokens::new(None, self.clock.clone());
        let (store, keys) = (self.store.clone(), self.keys.clone());
        let sessions = Sessions::new(store, rules, keys, invalid_tokens, self.clock.clone());
        let (_, mut session) =
            sessions.prepare(id, &ClientInfo::default(), Stay::Remembered).expect("a session");
        let mut user = NewUser {
            id: id.to_owned(),
            email: Email::parse(&format!("{}@example.com", id.len())).expect("an address"),
            name: "Ada".to_owned(),
            image: Image(None),
            password_hash: "salt:key".to_owned(),
            now: self.clock.now(),
        };
        assert!(self.store.create_user(&mut user, &mut session).await.expect("writes"));
    }

    /// Signs up a user and deletes the account.
    async fn delete(&self, id: &str) {
        self.sign_up(id).await;
        let order = Some(self.erasures.new_erasure());
        self.store
            .delete_user(id, Precondition::default(), &deleted(id), order)
            .await
            .expect("writes");
        self.erasures.wake();
    }

    /// Waits until `is_so`. Meanwhile the manual clock advances too.
    async fn until(&self, is_so: impl AsyncFn() -> bool) {
        for _ in 0..1_000 {
            if is_so().await {
                return;
            }
            sleep(Duration::from_millis(10)).await;
            self.clock.advance(TimeDelta::milliseconds(10));
        }
        panic!("it does not come to that");
    }

    async fn is_forgotten(&self) -> bool {
        self.store.next_erasure().await.expect("reads").is_none()
    }

    async fn waits_for_the_last_time(&self) -> bool {
        let next = self.store.next_erasure().await.expect("reads");
        next.is_some_and(|next| next > self.clock.now() + TimeDelta::minutes(1))
    }
}

#[tokio::test]
async fn an_erasure_runs_at_once_and_again_when_every_token_has_expired() {
    let scene = Scene::start(Scripted::default()).await;
    scene.delete("ada").await;
    scene.until(async || scene.waits_for_the_last_time().await).await;
    assert_eq!(scene.tasks.asked("ada"), 1);
    let next = scene.store.next_erasure().await.expect("reads").expect("an order");
    assert!(next >= scene.clock.now() + TimeDelta::minutes(15), "tokens live that long");
    scene.clock.advance(next - scene.clock.now());
    scene.until(async || scene.is_forgotten().await).await;
    assert_eq!(scene.tasks.asked("ada"), 2);
}

#[tokio::test]
async fn an_erasure_is_repeated_until_nothing_is_left_whatever_fails() {
    let script = Script { failures: 3, pieces: 2, ..Script::default() };
    let scene = Scene::start(Scripted(Arc::new(Mutex::new(script)))).await;
    scene.delete("ada").await;
    scene.until(async || scene.waits_for_the_last_time().await).await;
    assert_eq!(scene.tasks.asked("ada"), 3 + 2 + 1);
}

#[tokio::test]
async fn a_user_whose_id_is_in_use_again_keeps_their_tasks() {
    let scene = Scene::start(Scripted::default()).await;
    scene.sign_up("7").await;
    // Deleted while this process was down, and present again before it restarted.
    let order = scene.erasures.new_erasure();
    scene
        .store
        .delete_user("7", Precondition::default(), &deleted("7"), Some(order))
        .await
        .expect("writes");
    let hold = "UPDATE erasure SET next_at = '2100-01-01T00:00:00.000Z'";
    scene.store.database().writer().execute_unprepared(hold).await.expect("writes");
    let asked = scene.tasks.asked("7");
    scene.sign_up("7").await;
    let release = "UPDATE erasure SET next_at = requested_at";
    scene.store.database().writer().execute_unprepared(release).await.expect("writes");
    scene.erasures.wake();
    scene.until(async || scene.is_forgotten().await).await;
    assert_eq!(scene.tasks.asked("7"), asked);
}

#[tokio::test]
async fn a_user_that_no_token_can_name_has_no_tasks() {
    let scene = Scene::start(Scripted::default()).await;
    scene.delete("service:mailer").await;
    scene.until(async || scene.is_forgotten().await).await;
    assert_eq!(scene.tasks.asked("service:mailer"), 0);
}

#[tokio::test]
async fn a_restored_database_repeats_every_erasure_once() {
    let scene = Scene::start(Scripted::default()).await;
    let follow =
        async || scene.erasures.repeat_after_restore(&scene.client).await.expect("follows");
    assert_eq!(follow().await, 0);
    scene.delete("ada").await;
    scene.until(async || scene.waits_for_the_last_time().await).await;
    scene.clock.advance(TimeDelta::hours(1));
    scene.until(async || scene.is_forgotten().await).await;
    let before = scene.tasks.asked("ada");
    assert_eq!(follow().await, 0);
    for epoch in 1..=2 {
        scene.tasks.script().epoch = epoch;
        assert_eq!((follow().await, follow().await), (1, 0));
        scene.erasures.wake();
        scene.until(async || scene.is_forgotten().await).await;
        assert_eq!(scene.tasks.asked("ada"), before + epoch);
    }
}
