//! A server as a value: [`Assembly`] gathers services, [`App`] serves them until told to
//! stop.
//!
//! The accept loop is our own because the stock one has no limit on connections, no
//! deadline for a silent peer, and waits for it for ever when it should stop.

mod call;
mod connection;
mod health;
mod limits;
mod listener;
mod request_id;
mod seats;

use std::{convert::Infallible, future::Future, io, net::SocketAddr, pin::Pin, time::Duration};

use axum::response::IntoResponse;
use tokio::{net::TcpListener, task::JoinSet};
use tonic::{body::Body, codegen::http::Request, server::NamedService, service::RoutesBuilder};
use tower::Service;

pub use self::limits::{Limits, MAX_REQUEST_BYTES};
use self::{call::Calls, health::Readiness, listener::Listener};
use crate::{
    config::{Reader, Vars},
    db::Database,
    proto,
};

/// Work a service does beside its calls. It is dropped when the server stops.
type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where and how to serve.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address of the gRPC port; port 0 takes a free one.
    pub grpc_addr: SocketAddr,
    /// Whether server reflection is on.
    pub reflection: bool,
    /// What a caller may take.
    pub limits: Limits,
}

impl Settings {
    /// Reads `GRPC_ADDR`, `REFLECTION` and the [`Limits`].
    pub fn read(reader: &mut Reader<'_, impl Vars>, grpc_addr: SocketAddr) -> Self {
        let given = reader.parsed("GRPC_ADDR", |text| {
            text.parse().map_err(|_| "must be an address such as `127.0.0.1:50051`".to_owned())
        });
        Self {
            grpc_addr: given.unwrap_or(grpc_addr),
            reflection: reader.switch("REFLECTION", true),
            limits: Limits::read(reader),
        }
    }
}

/// Services on their way into an [`App`].
#[derive(Default)]
pub struct Assembly {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    databases: Vec<Database>,
    jobs: Vec<Job>,
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

    /// Ties readiness to a database; it is closed last when the server stops.
    pub fn depend_on(&mut self, database: Database) {
        self.databases.push(database);
    }

    /// Adds a job that runs as long as the server.
    pub fn add_job(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        self.jobs.push(Box::pin(job));
    }

    /// Takes the port and completes the services with health and reflection. Nothing is
    /// served yet.
    pub async fn bind(mut self, settings: &Settings) -> Result<App, BindError> {
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
        let (readiness, health) = Readiness::new(self.names, self.databases);
        self.routes.add_service(health.max_decoding_message_size(MAX_REQUEST_BYTES));
        let address = settings.grpc_addr;
        let socket = TcpListener::bind(address).await;
        let socket = socket.map_err(|source| BindError::Address { address, source })?;
        Ok(App {
            grpc_addr: socket
                .local_addr()
                .map_err(|source| BindError::Address { address, source })?,
            calls: Calls::new(self.routes.routes().prepare(), &settings.limits),
            socket,
            readiness,
            jobs: self.jobs,
            limits: settings.limits.clone(),
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

/// A bound server.
pub struct App {
    grpc_addr: SocketAddr,
    socket: TcpListener,
    calls: Calls,
    readiness: Readiness,
    jobs: Vec<Job>,
    limits: Limits,
}

impl App {
    /// The real address, also where port 0 was asked for.
    #[must_use]
    pub fn grpc_addr(&self) -> SocketAddr {
        self.grpc_addr
    }

    /// Serves until `stop` completes, then stops without losing a call: health says
    /// NOT_SERVING at once; for a lame-duck moment new calls are still answered, so that
    /// balancers can look away; then open calls get until the drain deadline; what is left
    /// is cut. Returns when all of it is over.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let mut background = JoinSet::new();
        for job in self.jobs {
            background.spawn(job);
        }
        background.spawn(self.readiness.clone().follow_databases());
        let listener = Listener::start(self.socket, self.calls, &self.limits);

        stop.await;
        tracing::info!("stopping: not ready for new calls");
        background.shutdown().await;
        self.readiness.withdraw().await;
        tokio::time::sleep(self.limits.lame_duck).await;
        let cut = listener.drain(self.limits.drain).await;
        tracing::info!(connections.cut = cut, "stopped");
        self.readiness.close_databases().await;
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

/// Whether the server at this process's own address (`GRPC_ADDR`, else `default`) says
/// that it serves; for container health checks.
pub async fn probe_own(
    mut reader: Reader<'_, impl Vars>,
    default: SocketAddr,
) -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::read(&mut reader, default);
    let address = reader.finish(Some(settings))?.grpc_addr;
    let reachable = match address {
        _ if !address.ip().is_unspecified() => address,
        SocketAddr::V4(_) => SocketAddr::from(([127, 0, 0, 1], address.port())),
        SocketAddr::V6(_) => SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, address.port())),
    };
    let patience = Duration::from_secs(2);
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{reachable}"))?;
    let channel = endpoint.connect_timeout(patience).timeout(patience).connect().await?;
    health::check(channel).await
}
