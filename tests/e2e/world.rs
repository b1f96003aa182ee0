//! Both services, as their binaries assemble them, on ports and databases of their own.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use fixtures::{Backend, FreshDatabase};
use server::{App, Assembly};
use shared::clock::Clock;
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::transport::{Channel, Endpoint};

use crate::{
    caller::{SignedIn, Stranger},
    exchange::AGENT,
    table::Table,
    wire::{Difference, Transport, Wire},
};

/// What both services sign and verify with.
pub const SECRET: &str = "e2e-9f2c1b7d5e8a4036-1b7d5e8a40369f2c";

/// The issuer and audience of every token.
pub const URL: &str = "http://localhost:3000";

/// auth-service and task-service, serving, and the wire that this scenario is on.
pub struct World {
    wire: Wire,
    auth: Served,
    tasks: Served,
}

/// One service at work. Dropped, it stops and its database is removed.
struct Served {
    grpc: SocketAddr,
    http: SocketAddr,
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
    database: FreshDatabase,
}

impl World {
    /// Boots both services as their binaries do. `None`: there is no such database here.
    pub async fn start(backend: Backend, wire: Wire) -> Option<Self> {
        Self::start_with(backend, wire, &[]).await
    }

    /// The same with these settings on top.
    pub async fn start_with(
        backend: Backend,
        wire: Wire,
        settings: &[(&'static str, &str)],
    ) -> Option<Self> {
        Self::start_on(FreshDatabase::new(backend).await?, backend, wire, settings).await
    }

    /// Boots both services with accounts in a database that may hold some already.
    pub async fn start_on(
        accounts: FreshDatabase,
        backend: Backend,
        wire: Wire,
        settings: &[(&'static str, &str)],
    ) -> Option<Self> {
        let databases = [accounts, FreshDatabase::new(backend).await?];
        let [auth, tasks] = databases.each_ref().map(|database| vars(database, settings));
        let config = task_service::Config::from_vars(&tasks).expect("settings");
        let tasks = task_service::bind(&config).await.expect("task-service starts");
        let config = auth_service::Config::from_vars(&beside(auth, &tasks)).expect("settings");
        let auth = auth_service::bind(&config).await.expect("auth-service starts");
        Some(Self::serve(wire, [auth, tasks], databases))
    }

    /// Boots both services with a clock of the test's.
    pub async fn start_at(backend: Backend, wire: Wire, clock: Arc<dyn Clock>) -> Option<Self> {
        Self::start_at_with(backend, wire, clock, &[]).await
    }

    /// The same with these settings on top.
    pub async fn start_at_with(
        backend: Backend,
        wire: Wire,
        clock: Arc<dyn Clock>,
        settings: &[(&'static str, &str)],
    ) -> Option<Self> {
        let databases = [FreshDatabase::new(backend).await?, FreshDatabase::new(backend).await?];
        let [auth, tasks] = databases.each_ref().map(|database| vars(database, settings));

        let config = task_service::Config::from_vars(&tasks).expect("settings");
        let mut assembly = Assembly::default();
        let assembled = task_service::assemble(&config, clock.clone(), &mut assembly).await;
        assembled.expect("task-service is assembled");
        let tasks = assembly.bind(&config.server).await.expect("task-service starts");

        let config = auth_service::Config::from_vars(&beside(auth, &tasks)).expect("settings");
        let mut assembly = Assembly::default();
        let assembled = auth_service::assemble(&config, clock, &mut assembly).await;
        assembled.expect("auth-service is assembled");
        let auth = assembly.bind(&config.server).await.expect("auth-service starts");
        Some(Self::serve(wire, [auth, tasks], databases))
    }

    fn serve(wire: Wire, apps: [App; 2], [auth_data, task_data]: [FreshDatabase; 2]) -> Self {
        let [auth, tasks] = apps;
        Self { wire, auth: Served::new(auth, auth_data), tasks: Served::new(tasks, task_data) }
    }

    /// Another one like this, with these settings on top.
    pub async fn another(&self, settings: &[(&'static str, &str)]) -> Self {
        let is_file = self.auth.database.address().starts_with("sqlite:");
        let backend = if is_file { Backend::Sqlite } else { Backend::Postgres };
        Self::start_with(backend, self.wire, settings).await.expect("there is such a database")
    }

    /// Stops both services and waits until they have.
    pub async fn stop(self) {
        for served in [self.auth, self.tasks] {
            let _ = served.stop.send(());
            served.running.await.expect("the server stops in good order");
        }
    }

    /// Whether this scenario is on the wire that differs here.
    pub fn differs(&self, _here: Difference) -> bool {
        self.wire == Wire::Http
    }

    /// A way to auth-service.
    pub fn auth(&self) -> Transport {
        self.auth.way(self.wire)
    }

    /// A way to task-service.
    pub fn tasks(&self) -> Transport {
        self.tasks.way(self.wire)
    }

    /// The gRPC port of auth-service, for what is about gRPC itself.
    pub fn auth_grpc(&self) -> SocketAddr {
        self.auth.grpc
    }

    /// The gRPC port of task-service, for what is about gRPC itself.
    pub fn tasks_grpc(&self) -> SocketAddr {
        self.tasks.grpc
    }

    /// The HTTP port of auth-service, for what is about HTTP itself.
    pub fn auth_http(&self) -> SocketAddr {
        self.auth.http
    }

    /// The HTTP port of task-service, for what is about HTTP itself.
    pub fn tasks_http(&self) -> SocketAddr {
        self.tasks.http
    }

    /// A table of auth-service, read over a connection of its own.
    pub async fn auth_table(&self, name: &'static str) -> Table {
        Table::open(self.auth.database.address(), name).await
    }

    /// A table of task-service, read over a connection of its own.
    pub async fn task_table(&self, name: &'static str) -> Table {
        Table::open(self.tasks.database.address(), name).await
    }

    /// A caller without a credential.
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
        let (grpc, http) = (app.grpc_addr(), app.http_addr().expect("an HTTP port"));
        let running = tokio::spawn(app.run(async { drop(stopped.await) }));
        Self { grpc, http, stop, running, database }
    }

    fn way(&self, wire: Wire) -> Transport {
        match wire {
            Wire::Grpc => Transport::Grpc(channel(self.grpc)),
            Wire::Http => Transport::Http(self.http),
        }
    }
}

/// A channel that connects when it is first used.
pub fn channel(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    endpoint.user_agent(AGENT).expect("a header value").connect_lazy()
}

/// The settings of auth-service beside this task-service.
fn beside(mut auth: HashMap<&'static str, String>, tasks: &App) -> HashMap<&'static str, String> {
    let url = format!("http://{}", tasks.grpc_addr());
    auth.entry("TASK_SERVICE_URL").or_insert(url);
    auth
}

/// The settings of a service in this process. The deadline is generous: the machine may be
/// busy with other tests.
fn vars(
    database: &FreshDatabase,
    settings: &[(&'static str, &str)],
) -> HashMap<&'static str, String> {
    let mut vars = HashMap::from([
        ("BETTER_AUTH_SECRET", SECRET.to_owned()),
        ("BETTER_AUTH_URL", URL.to_owned()),
        ("DATABASE_URL", database.address().to_owned()),
        // All scenarios share one address. Those about rate limits override this.
        ("ATTEMPT_LIMITS", "off".to_owned()),
        ("DATABASE_MAX_CONNECTIONS", "4".to_owned()),
        ("GRPC_ADDR", "127.0.0.1:0".to_owned()),
        ("HTTP_ADDR", "127.0.0.1:0".to_owned()),
        ("LAME_DUCK", "0".to_owned()),
        ("DRAIN_TIMEOUT", "2".to_owned()),
        ("REQUEST_TIMEOUT", "30".to_owned()),
    ]);
    vars.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
    vars
}
