//! A bound server: [`App`] serves on its ports until the process is stopped.
//!
//! The accept loop replaces tonic's, which has no limit on connections, no deadline for a silent
//! peer, and waits for it without limit on shutdown.

use std::{future::Future, net::SocketAddr, time::Duration};

use futures_util::future::{BoxFuture, OptionFuture};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    admission::{connection_limit::ConnectionLimit, limits::Limits},
    health::Readiness,
    layers::{
        call::{CallChain, Layers},
        protocol::Protocol,
    },
    listen::{
        listener::{Listener, OpenConnections, Sources},
        ports::{BindError, BoundPort, or_off},
    },
    loopback::{Loopback, LoopbackListener},
    protocol::{grpc::Grpc, http::Http},
    proxies::Proxies,
    settings::Settings,
    shutdown::Shutdown,
    tls::Tls,
};

/// The time limit for the work after the last call: a database that is unavailable, paused or
/// locked would otherwise block the end.
const FINISH_TIMEOUT: Duration = Duration::from_millis(1800);

/// A bound port, with the call chain of its protocol.
pub(crate) struct Port<P> {
    pub(crate) address: SocketAddr,
    socket: TcpListener,
    tls: Option<Tls>,
    proxies: Proxies,
    loopback: LoopbackListener,
    calls: CallChain<P>,
}

impl<P: Protocol> Port<P> {
    pub(crate) fn open(
        bound: &BoundPort,
        protocol: P,
        layers: &Layers,
        settings: &Settings,
    ) -> Result<Self, BindError> {
        let calls = CallChain::new(protocol, layers.clone(), &settings.limits);
        let (tls, proxies) = (settings.tls.clone(), settings.trusted_proxies.clone());
        let (address, socket) = (bound.address, bound.listener()?);
        Ok(Self { address, socket, tls, proxies, loopback: LoopbackListener::default(), calls })
    }

    /// The port, with connections from within the process.
    pub(crate) fn with_loopback(self, loopback: &Loopback) -> Self {
        Self { loopback: loopback.listener(), ..self }
    }

    pub(crate) fn serve(
        self,
        connection_limit: &ConnectionLimit,
        limits: &Limits,
        stop: &Shutdown,
    ) -> Listener {
        let Self { socket, tls, proxies, loopback, calls, .. } = self;
        let sources = Sources { socket, tls, proxies, loopback };
        Listener::start(sources, calls, connection_limit.clone(), limits, stop.signal())
    }
}

/// A bound server.
pub struct App {
    pub(crate) grpc: Port<Grpc>,
    pub(crate) http: Option<Port<Http>>,
    pub(crate) readiness: Readiness,
    pub(crate) connection_limit: ConnectionLimit,
    pub(crate) lame_duck: Shutdown,
    pub(crate) ready_after: Vec<BoxFuture<'static, ()>>,
    pub(crate) jobs: Vec<BoxFuture<'static, ()>>,
    pub(crate) on_drained: Vec<BoxFuture<'static, ()>>,
    pub(crate) stop: Shutdown,
    pub(crate) limits: Limits,
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

    /// Logs the addresses, and the id of the signing key if there is one.
    pub fn announce(&self, key_id: Option<&str>) {
        let http = or_off(self.http_addr());
        tracing::info!(grpc = %self.grpc_addr(), %http, key.id = key_id, "listening");
    }

    /// Serves until `stop` completes, then shuts down gracefully: health reports NOT_SERVING at
    /// once; during the lame-duck time new calls are still served, until balancers have noticed, over
    /// HTTP/1.1 with `connection: close`;
    /// then the ports close, [`ShutdownSignal`](crate::ShutdownSignal) fires, streams end, and open
    /// calls get until the drain deadline; the rest is cut. Returns at most two seconds after the
    /// drain deadline, even if a database blocks.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let mut jobs = JoinSet::new();
        for job in self.jobs {
            jobs.spawn(job);
        }
        let mut monitors = JoinSet::new();
        self.readiness.start().await;
        monitors.spawn(self.readiness.clone().monitor(self.ready_after));
        let connection_limit = self.connection_limit;
        monitors.spawn(connection_limit.clone().report());
        let grpc = self.grpc.serve(&connection_limit, &self.limits, &self.stop);
        let http = self.http.map(|port| port.serve(&connection_limit, &self.limits, &self.stop));

        stop.await;
        tracing::info!("stopping: not ready for new calls");
        monitors.shutdown().await;
        self.readiness.set_not_ready().await;
        self.lame_duck.begin();
        tokio::time::sleep(self.limits.lame_duck).await;
        let grpc = grpc.close().await;
        let http = OptionFuture::from(http.map(Listener::close)).await;
        self.stop.begin();
        let drain = |open: OpenConnections| open.drain(self.limits.drain);
        let http = OptionFuture::from(http.map(drain));
        let (of_grpc, of_http) = tokio::join!(drain(grpc), http);
        tracing::info!(connections.cut = of_grpc + of_http.unwrap_or(0), "stopped");
        let finish = async {
            futures_util::future::join_all(self.on_drained).await;
            jobs.shutdown().await;
            self.readiness.close_databases().await;
        };
        if tokio::time::timeout(FINISH_TIMEOUT, finish).await.is_err() {
            tracing::warn!("a database did not let go in time: it is left as in a crash");
        }
    }
}
