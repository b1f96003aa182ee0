//! The accept loop: connections within the connection limit, until the drain.

use std::{io, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::connection;
use crate::{
    admission::{
        connection_limit::{ConnectionLimit, ConnectionSlot},
        limits::Limits,
    },
    layers::call::{CallChain, Protocol},
    shutdown::ShutdownSignal,
};

/// The backoff after a failed accept: at the limit of open files an immediate retry would spin.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// A running accept loop.
pub struct Listener {
    close: watch::Sender<bool>,
    accepting: JoinHandle<JoinSet<()>>,
}

/// The open connections of a closed port.
pub struct OpenConnections(JoinSet<()>);

impl Listener {
    pub fn start(
        socket: TcpListener,
        calls: CallChain<impl Protocol>,
        connection_limit: ConnectionLimit,
        limits: &Limits,
        stopping: ShutdownSignal,
    ) -> Self {
        let (close, closing) = watch::channel(false);
        let accepting = tokio::spawn(accept(
            socket,
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
    socket: TcpListener,
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
                        let calls = calls.for_peer(peer, &slot);
                        open.spawn(serve(stream, calls, &limits, stopping.clone(), slot));
                    }
                }
                Err(error) => pause_after(&error, &connection_limit).await,
            },
            Some(_) = open.join_next(), if !open.is_empty() => {}
            _ = closing.changed() => return open,
        }
    }
}

fn serve<P: Protocol>(
    stream: TcpStream,
    calls: CallChain<P>,
    limits: &Limits,
    stopping: ShutdownSignal,
    slot: ConnectionSlot,
) -> impl Future<Output = ()> + Send + use<P> {
    // Small responses must not wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let served = connection::serve(stream, calls, limits, stopping, slot.connection.clone());
    async move {
        served.await;
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
