//! A bound server: [`App`] serves on its ports until the process is told to stop.
//!
//! The accept loop is our own because the stock one has no limit on connections, no
//! deadline for a silent peer, and waits for it for ever when it should stop.

use std::{future::Future, net::SocketAddr, time::Duration};

use futures_util::future::{BoxFuture, OptionFuture};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    admission::{connection_limit::ConnectionLimit, limits::Limits},
    health::Readiness,
    layers::call::{CallChain, Layers, Protocol},
    listen::{
        listener::{Listener, Open},
        ports::{BindError, BoundPort},
    },
    protocol::{grpc::Grpc, http::Http},
    shutdown::Shutdown,
};

/// How long all may take that is left when the last call has ended. A database that is
/// away, paused or locked would hold up the end for as long as it is.
const FINISH: Duration = Duration::from_millis(1800);

/// A port that was taken, and what is spoken on it.
pub(crate) struct Port<W> {
    pub(crate) address: SocketAddr,
    socket: TcpListener,
    calls: CallChain<W>,
}

impl<W: Protocol> Port<W> {
    pub(crate) fn open(
        taken: &BoundPort,
        wire: W,
        around: &Layers,
        limits: &Limits,
    ) -> Result<Self, BindError> {
        let calls = CallChain::new(wire, around.clone(), limits);
        Ok(Self { address: taken.address, socket: taken.listener()?, calls })
    }

    pub(crate) fn serve(
        self,
        connection_limit: &ConnectionLimit,
        limits: &Limits,
        stop: &Shutdown,
    ) -> Listener {
        Listener::start(self.socket, self.calls, connection_limit.clone(), limits, stop.handle())
    }
}

/// A bound server.
pub struct App {
    pub(crate) grpc: Port<Grpc>,
    pub(crate) http: Option<Port<Http>>,
    pub(crate) readiness: Readiness,
    pub(crate) connection_limit: ConnectionLimit,
    pub(crate) awaited: Vec<BoxFuture<'static, ()>>,
    pub(crate) jobs: Vec<BoxFuture<'static, ()>>,
    pub(crate) last: Vec<BoxFuture<'static, ()>>,
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

    /// Logs where it listens, and the id of the key in use, if that means anything.
    pub fn announce(&self, key_id: Option<&str>) {
        let http = self.http_addr().map_or_else(|| "off".to_owned(), |http| http.to_string());
        tracing::info!(grpc = %self.grpc_addr(), http = %http, key.id = key_id, "listening");
    }

    /// Serves until `stop` completes, then stops without losing a call: health says
    /// NOT_SERVING at once; for a lame-duck moment new calls are still answered, so that
    /// balancers can look away; then the ports close, [`ShutdownSignal`] is told, streams end, and
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
        let connection_limit = self.connection_limit;
        following.spawn(connection_limit.clone().report());
        let grpc = self.grpc.serve(&connection_limit, &self.limits, &self.stop);
        let http = self.http.map(|port| port.serve(&connection_limit, &self.limits, &self.stop));

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
