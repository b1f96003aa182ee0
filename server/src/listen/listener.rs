//! The accept loop: connections within the connection limit, until the drain.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{
    connection::{self, Stream},
    proxy_header,
};
use crate::{
    admission::{
        connection_limit::{ConnectionLimit, ConnectionSlot},
        limits::Limits,
    },
    client_info::Peer,
    layers::{call::CallChain, protocol::Protocol},
    loopback::LoopbackListener,
    proxies::Proxies,
    shutdown::ShutdownSignal,
    tls::{Tls, name_of},
};

/// The backoff after a failed accept: at the limit of open files an immediate retry would spin.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// The peer of connections within the process.
const LOCAL_PEER: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// A running accept loop.
pub struct Listener {
    close: watch::Sender<bool>,
    accepting: JoinHandle<JoinSet<()>>,
}

/// The sources of a port's connections.
pub struct Sources {
    pub socket: TcpListener,
    /// The TLS of the socket; `None`: it is in clear.
    pub tls: Option<Tls>,
    /// The proxies whose connections may begin with a header.
    pub proxies: Proxies,
    /// Connections within the process.
    pub loopback: LoopbackListener,
}

/// The open connections of a closed port.
pub struct OpenConnections(JoinSet<()>);

impl Listener {
    pub fn start(
        sources: Sources,
        calls: CallChain<impl Protocol>,
        connection_limit: ConnectionLimit,
        limits: &Limits,
        stopping: ShutdownSignal,
    ) -> Self {
        let (close, closing) = watch::channel(false);
        let accepting = tokio::spawn(accept(
            sources,
            calls,
            connection_limit,
            limits.clone(),
            stopping,
            closing,
        ));
        Self { close, accepting }
    }

    /// Closes the port. Its connections stay open.
    pub async fn close(self) -> OpenConnections {
        let _ = self.close.send(true);
        OpenConnections(self.accepting.await.unwrap_or_default())
    }
}

impl OpenConnections {
    /// Lets open calls finish until `deadline`, cuts the rest, and returns the number of cut
    /// connections.
    pub async fn drain(mut self, deadline: Duration) -> usize {
        let all_closed = async { while self.0.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(deadline, all_closed).await;
        let cut = self.0.len();
        self.0.shutdown().await;
        cut
    }
}

async fn accept(
    Sources { socket, tls, proxies, mut loopback }: Sources,
    calls: CallChain<impl Protocol>,
    connection_limit: ConnectionLimit,
    limits: Limits,
    stopping: ShutdownSignal,
    mut closing: watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some(slot) = connection_limit.acquire(peer) {
                        // Small responses must not wait for the client's delayed
                        // acknowledgement.
                        let _ = stream.set_nodelay(true);
                        let connection = Connection::new(&calls, &limits, &stopping, peer, slot);
                        let tls = tls.clone();
                        if proxies.sends_header(peer.ip()) {
                            let connection_limit = connection_limit.clone();
                            open.spawn(connection.proxied(stream, tls, connection_limit));
                        } else {
                            open.spawn(connection.begin(stream, tls));
                        }
                    }
                }
                Err(error) => pause_after(&error, &connection_limit).await,
            },
            Some(stream) = loopback.accept() => {
                if let Some(slot) = connection_limit.acquire(LOCAL_PEER) {
                    let connection = Connection::new(&calls, &limits, &stopping, LOCAL_PEER, slot);
                    open.spawn(connection.serve(stream, None));
                }
            }
            Some(_) = open.join_next(), if !open.is_empty() => {}
            _ = closing.changed() => return open,
        }
    }
}

/// An accepted connection.
struct Connection<P> {
    calls: CallChain<P>,
    limits: Limits,
    stopping: ShutdownSignal,
    peer: SocketAddr,
    slot: ConnectionSlot,
}

impl<P: Protocol> Connection<P> {
    fn new(
        calls: &CallChain<P>,
        limits: &Limits,
        stopping: &ShutdownSignal,
        peer: SocketAddr,
        slot: ConnectionSlot,
    ) -> Self {
        let (calls, limits, stopping) = (calls.clone(), limits.clone(), stopping.clone());
        Self { calls, limits, stopping, peer, slot }
    }

    /// Serves it as the client's that a proxy's header names, and counts it for that client.
    async fn proxied(
        mut self,
        mut stream: TcpStream,
        tls: Option<Tls>,
        connection_limit: ConnectionLimit,
    ) {
        let Some(header) = self.in_time(proxy_header::read(&mut stream)).await else { return };
        match header {
            Ok(Some(client)) => {
                let Self { calls, limits, stopping, slot, .. } = self;
                drop(slot);
                let Some(slot) = connection_limit.acquire(client) else { return };
                self = Self { calls, limits, stopping, peer: client, slot };
            }
            Ok(None) => {}
            // A check that connects and no more.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return,
            Err(fault) => {
                let proxy = self.peer.ip();
                tracing::warn!(%proxy, %fault, "refused: a listed proxy sent no PROXY header");
                return;
            }
        }
        self.begin(stream, tls).await;
    }

    /// Serves it, after the TLS handshake if there is one.
    async fn begin(self, stream: TcpStream, tls: Option<Tls>) {
        let Some(tls) = tls else { return self.serve(stream, None).await };
        let stream = match self.in_time(tls.accept(stream)).await {
            Some(Ok(stream)) => stream,
            Some(Err(error)) => {
                tracing::debug!(peer = %self.peer.ip(), %error, "no TLS handshake");
                return;
            }
            None => return,
        };
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate = certificate.map(|certificate| name_of(certificate).into());
        self.serve(stream, certificate).await;
    }

    /// What comes before the first request, within the time of one; `None`: the connection ends.
    async fn in_time<T>(&self, handshake: impl Future<Output = T> + Send) -> Option<T> {
        tokio::select! {
            done = tokio::time::timeout(self.limits.handshake_timeout, handshake) => done.ok(),
            _immediately = self.slot.connection.evicted() => None,
            () = self.stopping.stopped() => None,
        }
    }

    /// Serves it until its end. `certificate` is the name of the client's.
    async fn serve(self, stream: impl Stream + 'static, certificate: Option<Arc<str>>) {
        let Self { calls, limits, stopping, peer: address, slot } = self;
        let calls = calls.for_peer(Peer { address, certificate }, &slot);
        connection::serve(Box::new(stream), calls, &limits, stopping, slot.connection.clone())
            .await;
        drop(slot);
    }
}

async fn pause_after(error: &io::Error, connection_limit: &ConnectionLimit) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionReset) {
        tracing::warn!(%error, "cannot accept a connection");
        // The operating system allows fewer open files than there may be connections.
        connection_limit.evict_idle();
        tokio::time::sleep(ACCEPT_BACKOFF).await;
    }
}
