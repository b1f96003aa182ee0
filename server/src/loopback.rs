//! The loopback channel: this process's own gRPC port, for services in it that call each other.
//! Its connections stay in memory, so they need no TLS.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use tokio::{
    io::{DuplexStream, duplex},
    sync::mpsc,
};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// The bytes that a connection buffers in each direction.
const BUFFER: usize = 64 * 1024;

/// The connections that wait to be accepted.
const BACKLOG: usize = 16;

/// The gRPC port of a server, which may not be served yet.
#[derive(Clone, Debug)]
pub struct Loopback {
    connections: mpsc::Sender<DuplexStream>,
    accepted: Arc<Mutex<Option<mpsc::Receiver<DuplexStream>>>>,
}

impl Default for Loopback {
    fn default() -> Self {
        let (connections, accepted) = mpsc::channel(BACKLOG);
        Self { connections, accepted: Arc::new(Mutex::new(Some(accepted))) }
    }
}

/// The connections to a port from within the process; the default has none.
#[derive(Default)]
pub struct LoopbackListener(Option<mpsc::Receiver<DuplexStream>>);

impl LoopbackListener {
    /// The next connection; `None` when there will be none.
    pub(super) async fn accept(&mut self) -> Option<DuplexStream> {
        self.0.as_mut()?.recv().await
    }
}

impl Loopback {
    /// The listener, of the port that serves these connections.
    pub(super) fn listener(&self) -> LoopbackListener {
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner).take();
        LoopbackListener(accepted)
    }

    /// A channel that connects on first use, when the port must be served. Its calls pass gates
    /// and limits like those of every client.
    #[must_use]
    pub fn channel(&self, connect_timeout: Duration) -> Channel {
        let connections = self.connections.clone();
        let connector = service_fn(move |_| {
            let connections = connections.clone();
            async move {
                let (own, other) = duplex(BUFFER);
                let sent = connections.send(other).await;
                sent.map_err(|_closed| io::Error::from(io::ErrorKind::NotConnected))?;
                Ok::<_, io::Error>(TokioIo::new(own))
            }
        });
        Endpoint::from_static("http://localhost")
            .connect_timeout(connect_timeout)
            .connect_with_connector_lazy(connector)
    }
}

/// The address at which a server that listens on `address` is reached from its own machine.
pub(super) fn loopback_address(address: SocketAddr) -> SocketAddr {
    match address {
        _ if !address.ip().is_unspecified() => address,
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::LOCALHOST, address.port())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_all_addresses_is_found_on_its_own() {
        for (bound, expected) in [
            ("127.0.0.1:5", "127.0.0.1:5"),
            ("192.0.2.7:5", "192.0.2.7:5"),
            ("0.0.0.0:5", "127.0.0.1:5"),
            ("[::]:5", "[::1]:5"),
        ] {
            let parsed = |text: &str| text.parse::<SocketAddr>().expect("an address");
            assert_eq!(loopback_address(parsed(bound)), parsed(expected));
        }
    }
}
