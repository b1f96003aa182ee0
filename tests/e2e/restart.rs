//! Killed again and again under load, a service keeps what it acknowledged, and keeps it
//! once.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use fixtures::{FreshDatabase, on_both_databases};
use proto::task::v1::CreateTaskRequest;
use tokio::{sync::watch, task::JoinSet};
use tonic::{Code, Status};

use crate::{
    answer::reason,
    binary::Binary,
    caller::{PASSWORD, SignedIn, Stranger, application},
    process::Server,
    table::Table,
    world::channel,
};

on_both_databases!(
    task_service_killed_under_load_loses_nothing_and_doubles_nothing,
    auth_service_killed_under_load_keeps_every_account_it_acknowledged,
);

/// How often a service is killed.
const KILLS: usize = 6;

/// How long everything between two kills may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the writers and the killer share.
#[derive(Clone)]
struct Load {
    address: watch::Receiver<SocketAddr>,
    acknowledged: Arc<AtomicUsize>,
    interrupted: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Load {
    /// The server as it can be reached now.
    fn server(&self) -> Stranger {
        let channel = channel(*self.address.borrow());
        Stranger::new(channel.clone(), channel)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn acknowledge(&self) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that broke off may or may not have had its effect: it is to be repeated.
    /// A verdict of the server may not come from a server that is being killed.
    async fn interrupt(&self, status: &Status) {
        let verdicts = [Code::InvalidArgument, Code::Unauthenticated, Code::PermissionDenied];
        assert!(!verdicts.contains(&status.code()), "{status:?}");
        self.interrupted.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs `writers` against a server that is killed (SIGKILL) and started again and again;
/// each life lasts until `progress` more calls were acknowledged. Gives back the last
/// server and what the writers know.
async fn under_kills<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
    binary: Binary,
    database: &FreshDatabase,
    progress: usize,
    writers: impl IntoIterator<Item = impl FnOnce(Load) -> W>,
) -> (Server, Vec<T>) {
    let mut server = Server::start(binary, database.address());
    let (moved, address) = watch::channel(server.address());
    let load = Load {
        address,
        acknowledged: Arc::default(),
        interrupted: Arc::default(),
        over: Arc::default(),
    };
    let mut writing = JoinSet::new();
    for writer in writers {
        writing.spawn(writer(load.clone()));
    }
    for life in 0..=KILLS {
        let goal = load.acknowledged.load(Ordering::Relaxed) + progress;
        let end = Instant::now() + PATIENCE;
        while load.acknowledged.load(Ordering::Relaxed) < goal {
            assert!(Instant::now() < end, "life {life} has no progress:\n{}", server.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if life < KILLS {
            server.kill();
            server = Server::start(binary, database.address());
            moved.send(server.address()).expect("somebody listens");
        }
    }
    load.over.store(true, Ordering::Relaxed);
    let known = writing.join_all().await;
    let interrupted = load.interrupted.load(Ordering::Relaxed);
    assert!(interrupted >= KILLS, "{interrupted} calls were in progress at {KILLS} kills");
    (server, known)
}

/// Creates tasks one after another, each with a request id, and repeats each until it is
/// acknowledged: the id of the task by its request id, which is also its title.
async fn create_tasks(load: Load, writer: usize) -> HashMap<String, String> {
    let mut acknowledged = HashMap::new();
    for number in 0.. {
        let request_id = format!("{writer}-{number}");
        let id = loop {
            match create(&load.server().minted(&user(writer)), &request_id).await {
                Ok(id) => break id,
                Err(status) => load.interrupt(&status).await,
            }
        };
        acknowledged.insert(request_id, id);
        load.acknowledge();
        if load.is_over() {
            break;
        }
    }
    acknowledged
}

/// Two writers share a user.
fn user(writer: usize) -> String {
    format!("user-{}", writer % 2)
}

async fn create(caller: &SignedIn, request_id: &str) -> Result<String, Status> {
    let request =
        CreateTaskRequest { request_id: request_id.into(), ..caller.new_task(request_id) };
    let answer = caller.tasks().create_task(request).await?;
    Ok(answer.into_inner().task.expect("a task").id)
}

async fn task_service_killed_under_load_loses_nothing_and_doubles_nothing(database: FreshDatabase) {
    let writers = (0..4).map(|writer| move |load| create_tasks(load, writer));
    let (server, known) = under_kills(Binary::Tasks, &database, 12, writers).await;

    let reader = Stranger::new(server.channel(), server.channel());
    let mut stored = HashMap::new();
    for writer in 0..2 {
        for task in reader.minted(&user(writer)).all_tasks().await {
            let doubled = stored.insert(task.title, task.id);
            assert_eq!(doubled, None, "a task was made twice");
        }
    }
    let acknowledged: HashMap<String, String> = known.into_iter().flatten().collect();
    assert!(acknowledged.len() >= 12 * KILLS);
    assert_eq!(stored, acknowledged);
    server.kill();
    assert_sound(&database).await;
}

/// Signs up one account after another, each until it is acknowledged or known to be there.
async fn sign_up(load: Load, writer: usize) -> Vec<(String, Option<String>)> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let email = format!("user-{writer}-{number}@example.com");
        let session_token = loop {
            let mut accounts = load.server().accounts();
            match accounts.sign_up(application(&email, PASSWORD)).await {
                Ok(answer) => break Some(answer.into_inner().session_token),
                Err(status) if reason(&status) == "EMAIL_TAKEN" => break None,
                Err(status) => load.interrupt(&status).await,
            }
        };
        acknowledged.push((email, session_token));
        load.acknowledge();
        if load.is_over() {
            break;
        }
    }
    acknowledged
}

async fn auth_service_killed_under_load_keeps_every_account_it_acknowledged(
    database: FreshDatabase,
) {
    let writers = (0..3).map(|writer| move |load| sign_up(load, writer));
    let (server, known) = under_kills(Binary::Auth, &database, 2, writers).await;

    let stranger = Stranger::new(server.channel(), server.channel());
    let known: Vec<_> = known.into_iter().flatten().collect();
    for (email, session_token) in &known {
        let ada = stranger.sign_in(email).await;
        if let Some(token) = session_token {
            let session_token = token.clone();
            let first = SignedIn { session_token, ..ada };
            assert!(first.session_lives().await, "{email} lost the session of the sign-up");
        }
    }
    let mut stored: Vec<String> =
        Table::open(database.address(), "user").await.column("email").await;
    let mut emails: Vec<String> = known.into_iter().map(|(email, _)| email).collect();
    stored.sort_unstable();
    emails.sort_unstable();
    assert_eq!(stored, emails);
    server.kill();
    assert_sound(&database).await;
}

async fn assert_sound(database: &FreshDatabase) {
    if database.address().starts_with("sqlite:") {
        let file = Table::open(database.address(), "sqlite_master").await;
        assert_eq!(file.integrity().await, ["ok"]);
    }
}
