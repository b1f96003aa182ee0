//! Both services, as their binaries assemble them, on ports and databases of their own.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use fixtures::{Backend, FreshDatabase};
use shared::{
    clock::Clock,
    serve::{App, Assembly},
};
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::transport::{Channel, Endpoint};

use crate::{
    caller::{SignedIn, Stranger},
    table::Table,
};

/// What both services sign and verify with.
pub const SECRET: &str = "e2e-9f2c1b7d5e8a4036-1b7d5e8a40369f2c";

/// The issuer and audience of every token.
pub const URL: &str = "http://localhost:3000";

/// auth-service and task-service, serving.
pub struct World {
    auth: Served,
    tasks: Served,
}

/// One service at work. Dropped, it stops and its database is removed.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
    database: FreshDatabase,
}

impl World {
    /// Boots both services as their binaries do. `None`: there is no such database here.
    pub async fn start(backend: Backend) -> Option<Self> {
        let databases = [FreshDatabase::new(backend).await?, FreshDatabase::new(backend).await?];
        let [auth, tasks] = &databases;
        let config = auth_service::Config::from_vars(&vars(auth)).expect("settings");
        let auth = auth_service::bind(&config).await.expect("auth-service starts");
        let config = task_service::Config::from_vars(&vars(tasks)).expect("settings");
        let tasks = task_service::bind(&config).await.expect("task-service starts");
        Some(Self::serve([auth, tasks], databases))
    }

    /// The same by a clock of the test's.
    pub async fn start_at(backend: Backend, clock: Arc<dyn Clock>) -> Option<Self> {
        let databases = [FreshDatabase::new(backend).await?, FreshDatabase::new(backend).await?];
        let [auth, tasks] = &databases;

        let config = auth_service::Config::from_vars(&vars(auth)).expect("settings");
        let mut assembly = Assembly::default();
        let assembled = auth_service::assemble(&config, clock.clone(), &mut assembly).await;
        assembled.expect("auth-service is assembled");
        let auth = assembly.bind(&config.server).await.expect("auth-service starts");

        let config = task_service::Config::from_vars(&vars(tasks)).expect("settings");
        let mut assembly = Assembly::default();
        let assembled = task_service::assemble(&config, clock, &mut assembly).await;
        assembled.expect("task-service is assembled");
        let tasks = assembly.bind(&config.server).await.expect("task-service starts");
        Some(Self::serve([auth, tasks], databases))
    }

    fn serve([auth, tasks]: [App; 2], [auth_data, task_data]: [FreshDatabase; 2]) -> Self {
        Self { auth: Served::new(auth, auth_data), tasks: Served::new(tasks, task_data) }
    }

    /// Stops both services and waits until they have.
    pub async fn stop(self) {
        for served in [self.auth, self.tasks] {
            let _ = served.stop.send(());
            served.running.await.expect("the server stops in good order");
        }
    }

    /// A way to auth-service.
    pub fn auth(&self) -> Channel {
        channel(self.auth.address)
    }

    /// A way to task-service.
    pub fn tasks(&self) -> Channel {
        channel(self.tasks.address)
    }

    /// A table of auth-service, looked at from outside.
    pub async fn auth_table(&self, name: &'static str) -> Table {
        Table::open(self.auth.database.address(), name).await
    }

    /// A table of task-service, looked at from outside.
    pub async fn task_table(&self, name: &'static str) -> Table {
        Table::open(self.tasks.database.address(), name).await
    }

    /// Somebody without a credential.
    pub fn stranger(&self) -> Stranger {
        Stranger::new(self.auth(), self.tasks())
    }

    /// Alice, who has just signed up.
    pub async fn alice(&self) -> SignedIn {
        self.stranger().sign_up("alice@example.com").await
    }

    /// Bob, who has just signed up.
    pub async fn bob(&self) -> SignedIn {
        self.stranger().sign_up("bob@example.com").await
    }
}

impl Served {
    fn new(app: App, database: FreshDatabase) -> Self {
        let (stop, stopped) = oneshot::channel();
        let address = app.grpc_addr();
        let running = tokio::spawn(app.run(async { drop(stopped.await) }));
        Self { address, stop, running, database }
    }
}

/// A channel that connects when it is first used.
pub fn channel(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).expect("an address").connect_lazy()
}

/// The settings of a service in this process. The deadline is generous: the machine may be
/// busy with other tests.
fn vars(database: &FreshDatabase) -> HashMap<&'static str, String> {
    HashMap::from([
        ("BETTER_AUTH_SECRET", SECRET.to_owned()),
        ("BETTER_AUTH_URL", URL.to_owned()),
        ("DATABASE_URL", database.address().to_owned()),
        ("DATABASE_MAX_CONNECTIONS", "4".to_owned()),
        ("GRPC_ADDR", "127.0.0.1:0".to_owned()),
        ("LAME_DUCK", "0".to_owned()),
        ("DRAIN_TIMEOUT", "2".to_owned()),
        ("REQUEST_TIMEOUT", "30".to_owned()),
    ])
}

/// Runs each `async fn(&World)` as two tests, `sqlite` and `postgres`.
macro_rules! in_both_worlds {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run(fixtures::Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run(fixtures::Backend::Postgres).await;
            }

            async fn run(backend: fixtures::Backend) {
                if let Some(world) = crate::world::World::start(backend).await {
                    super::$scenario(&world).await;
                    world.stop().await;
                }
            }
        }
    )+};
}

/// Runs each `async fn(&World, &ManualClock)` as two tests. The clock stands still until
/// the test moves it.
macro_rules! in_both_worlds_by_our_clock {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                run(fixtures::Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                run(fixtures::Backend::Postgres).await;
            }

            async fn run(backend: fixtures::Backend) {
                use shared::clock::{Clock, ManualClock, SystemClock};

                let clock = std::sync::Arc::new(ManualClock::at(SystemClock.now()));
                let world = crate::world::World::start_at(backend, clock.clone()).await;
                if let Some(world) = world {
                    super::$scenario(&world, &clock).await;
                    world.stop().await;
                }
            }
        }
    )+};
}

pub(crate) use in_both_worlds;
pub(crate) use in_both_worlds_by_our_clock;
