//! A server as a value: [`Assembly`] gathers services, [`App`] serves them until told to
//! stop.
//!
//! The accept loop is our own because the stock one has no limit on connections, no
//! deadline for a silent peer, and waits for it for ever when it should stop.

mod answers;
mod arriving;
mod call;
mod connection;
mod connection_state;
mod cors;
mod docs;
mod grpc;
mod head_timer;
mod health;
mod http;
mod lasting;
mod limits;
mod listener;
mod own_port;
mod places;
mod proxies;
mod refusal_log;
mod request_id;
mod seats;
mod settings;
mod shares;
mod start;
mod stopping;
mod uploads;

use std::{
    convert::Infallible, future::Future, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration,
};

use axum::response::IntoResponse;
use futures_util::future::OptionFuture;
use tokio::{net::TcpListener, task::JoinSet};
use tonic::{body::Body, codegen::http::Request, server::NamedService, service::RoutesBuilder};
use tower::Service;

use self::{
    call::{Around, Calls, Wire},
    grpc::Grpc,
    health::Readiness,
    http::Http,
    listener::{Listener, Open},
    places::Places,
    refusal_log::RefusalLog,
    seats::Seats,
    shares::Shares,
    start::{Ports, Taken},
    stopping::Stop,
    uploads::Uploads,
};
pub use self::{
    lasting::Lasting,
    limits::{Limits, MAX_BATCH_BYTES, MAX_REQUEST_BYTES},
    own_port::OwnPort,
    proxies::Proxies,
    settings::{Addresses, Settings},
    start::Start,
    stopping::Stopping,
};
use crate::{
    config::{Reader, Vars},
    db::Database,
    http::Door,
    proto,
};

/// How long all may take that is left when the last call has ended. A database that is
/// away, paused or locked would hold up the end for as long as it is.
const FINISH: Duration = Duration::from_millis(1800);

/// Work a service does beside its calls. It is dropped when the last of them has ended.
type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Services on their way into an [`App`].
#[derive(Default)]
pub struct Assembly {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    doors: Vec<Door>,
    databases: Vec<Database>,
    awaited: Vec<Job>,
    jobs: Vec<Job>,
    last: Vec<Job>,
    uploads: Uploads,
    stop: Stop,
    own_port: OwnPort,
}

impl Assembly {
    /// Adds a service under its own name. What guards it is around it already.
    pub fn add<S>(&mut self, service: S)
    where
        S: Service<Request<Body>, Response: IntoResponse, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes.add_service(service);
    }

    /// Adds a door to the HTTP port.
    pub fn mount(&mut self, door: Door) {
        self.doors.push(door);
    }

    /// Ties readiness to a database; it is closed last when the server stops.
    pub fn depend_on(&mut self, database: Database) {
        self.add_job(database.clone().keep_journal_short());
        self.databases.push(database);
    }

    /// Puts readiness off until `event` has happened. Calls are served meanwhile.
    pub fn wait_for(&mut self, event: impl Future<Output = ()> + Send + 'static) {
        self.awaited.push(Box::pin(event));
    }

    /// Declares that calls to `path`, on either port, are uploads: a stream of messages, or
    /// a body, that may take `UPLOAD_TIMEOUT` in all but no longer than `REQUEST_TIMEOUT`
    /// for each pause in it. A segment in braces stands for any: `/api/{user_id}/import`.
    /// How large it may be is up to its handler.
    pub fn allow_upload(&mut self, path: &'static str) {
        self.uploads.add(path);
    }

    /// Tells a service when the server stops.
    #[must_use]
    pub fn stopping(&self) -> Stopping {
        self.stop.handle()
    }

    /// Where a service finds others of this process, once the port is taken.
    #[must_use]
    pub fn own_port(&self) -> OwnPort {
        self.own_port.clone()
    }

    /// Adds a job that runs as long as the server, and for as long as calls are still
    /// finished when it stops.
    pub fn add_job(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        self.jobs.push(Box::pin(job));
    }

    /// Adds what is to be done when the last call has ended, while jobs still run and
    /// databases are open. It gets two seconds.
    pub fn add_last(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.last.push(Box::pin(work));
    }

    /// Takes the ports and completes the services with health, reflection and
    /// documentation. Nothing is served yet.
    pub async fn bind(self, settings: &Settings) -> Result<App, BindError> {
        let ports = Ports::take(settings).await?;
        self.on(&ports, settings)
    }

    fn on(mut self, ports: &Ports, settings: &Settings) -> Result<App, BindError> {
        if settings.reflection {
            let reflection = || {
                let all = tonic_reflection::server::Builder::configure()
                    .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
                    .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                    .with_service_name("grpc.health.v1.Health");
                self.names.iter().fold(all, |listed, name| listed.with_service_name(*name))
            };
            let v1 = reflection().build_v1()?;
            self.routes.add_service(v1.max_decoding_message_size(MAX_REQUEST_BYTES));
            let v1alpha = reflection().build_v1alpha()?;
            self.routes.add_service(v1alpha.max_decoding_message_size(MAX_REQUEST_BYTES));
        }
        let (readiness, health) =
            Readiness::new(self.names, self.databases, self.awaited.is_empty());
        self.routes.add_service(health.max_decoding_message_size(MAX_REQUEST_BYTES));
        let (limits, trusted) = (&settings.limits, settings.trusted_origins.as_slice());
        let log = RefusalLog::default();
        let seats = Seats::new(limits, settings.trusted_proxies.clone(), log.clone());
        let around = Around {
            places: Places::new(limits, log),
            shares: Shares::new(limits),
            uploads: Arc::new(self.uploads),
            proxies: settings.trusted_proxies.clone(),
        };
        let routes = self.routes.routes().prepare();
        let grpc = Port::open(&ports.grpc, Grpc::new(routes, trusted), &around, limits)?;
        self.own_port.found(grpc.address);
        let http = match &ports.http {
            Some(taken) => {
                let wire = Http::new(self.doors, readiness.clone(), trusted);
                Some(Port::open(taken, wire, &around, limits)?)
            }
            None => None,
        };
        Ok(App {
            grpc,
            http,
            readiness,
            seats,
            awaited: self.awaited,
            jobs: self.jobs,
            last: self.last,
            stop: self.stop,
            limits: limits.clone(),
        })
    }
}

/// The server could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The port is taken, or not ours to take.
    #[error("cannot listen on {address}")]
    Address {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The descriptors are damaged.
    #[error("cannot set up reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// A port that was taken, and what is spoken on it.
struct Port<W> {
    address: SocketAddr,
    socket: TcpListener,
    calls: Calls<W>,
}

impl<W: Wire> Port<W> {
    fn open(taken: &Taken, wire: W, around: &Around, limits: &Limits) -> Result<Self, BindError> {
        let calls = Calls::new(wire, around.clone(), limits);
        Ok(Self { address: taken.address, socket: taken.listener()?, calls })
    }

    fn serve(self, seats: &Seats, limits: &Limits, stop: &Stop) -> Listener {
        Listener::start(self.socket, self.calls, seats.clone(), limits, stop.handle())
    }
}

/// A bound server.
pub struct App {
    grpc: Port<Grpc>,
    http: Option<Port<Http>>,
    readiness: Readiness,
    seats: Seats,
    awaited: Vec<Job>,
    jobs: Vec<Job>,
    last: Vec<Job>,
    stop: Stop,
    limits: Limits,
}

impl App {
    /// The real address of the gRPC port, also where port 0 was asked for.
    #[must_use]
    pub fn grpc_addr(&self) -> SocketAddr {
        self.grpc.address
    }

    /// The real address of the HTTP port, if there is one.
    #[must_use]
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(|port| port.address)
    }

    /// Logs where it listens, and the id of the key in use, if that means anything.
    pub fn announce(&self, key_id: Option<&str>) {
        let http = self.http_addr().map_or_else(|| "off".to_owned(), |http| http.to_string());
        tracing::info!(grpc = %self.grpc_addr(), http = %http, key.id = key_id, "listening");
    }

    /// Serves until `stop` completes, then stops without losing a call: health says
    /// NOT_SERVING at once; for a lame-duck moment new calls are still answered, so that
    /// balancers can look away; then the ports close, [`Stopping`] is told, streams end, and
    /// open calls get until the drain deadline; what is left is cut. Returns when all of it
    /// is over, at most two seconds after the drain deadline, whatever a database does.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let mut jobs = JoinSet::new();
        for job in self.jobs {
            jobs.spawn(job);
        }
        let mut following = JoinSet::new();
        self.readiness.begin().await;
        following.spawn(self.readiness.clone().follow(self.awaited));
        let seats = self.seats;
        following.spawn(seats.clone().report());
        let grpc = self.grpc.serve(&seats, &self.limits, &self.stop);
        let http = self.http.map(|port| port.serve(&seats, &self.limits, &self.stop));

        stop.await;
        tracing::info!("stopping: not ready for new calls");
        following.shutdown().await;
        self.readiness.withdraw().await;
        tokio::time::sleep(self.limits.lame_duck).await;
        let grpc = grpc.close().await;
        let http = OptionFuture::from(http.map(Listener::close)).await;
        self.stop.now();
        let drain = |open: Open| open.drain(self.limits.drain);
        let http = OptionFuture::from(http.map(drain));
        let (of_grpc, of_http) = tokio::join!(drain(grpc), http);
        tracing::info!(connections.cut = of_grpc + of_http.unwrap_or(0), "stopped");
        let finish = async {
            futures_util::future::join_all(self.last).await;
            jobs.shutdown().await;
            self.readiness.close_databases().await;
        };
        if tokio::time::timeout(FINISH, finish).await.is_err() {
            tracing::warn!("a database did not let go in time: it is left as in a crash");
        }
    }
}

/// Completes at SIGTERM or Ctrl-C, which are caught from this call on. A second one ends
/// the process at once, with code 1.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let mut signal = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(async move {
        signal().await;
        tokio::spawn(async move {
            signal().await;
            std::process::exit(1);
        });
    })
}

/// Whether the server at this process's own address (`GRPC_ADDR`, else its default) says
/// that it serves, or that it `is_live`; for container health checks.
pub async fn probe_own(
    mut reader: Reader<'_, impl Vars>,
    default: Addresses,
    is_live: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::read(&mut reader, default);
    let address = reader.finish(Some(settings))?.grpc_addr;
    let reachable = own_port::reachable(address);
    let patience = Duration::from_secs(2);
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{reachable}"))?;
    let channel = endpoint.connect_timeout(patience).timeout(patience).connect().await?;
    health::check(channel, is_live).await
}
