//! This process's own gRPC port, for services in it that call each other by contract.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// The gRPC port of a server that may not have it yet.
#[derive(Clone, Debug, Default)]
pub struct Loopback(Arc<OnceLock<SocketAddr>>);

impl Loopback {
    /// Tells where it is, once.
    pub(super) fn found(&self, address: SocketAddr) {
        let _ = self.0.set(reachable(address));
    }

    /// A channel that connects when it is first used: by then the port must have been taken.
    /// The call goes the way of every caller, gates and limits included.
    #[must_use]
    pub fn channel(&self, connect_timeout: Duration) -> Channel {
        let own = self.0.clone();
        let connector = service_fn(move |_| {
            let address = own.get().copied();
            async move {
                let address = address.ok_or(io::ErrorKind::NotConnected)?;
                Ok::<_, io::Error>(TokioIo::new(TcpStream::connect(address).await?))
            }
        });
        Endpoint::from_static("http://localhost")
            .connect_timeout(connect_timeout)
            .connect_with_connector_lazy(connector)
    }
}

/// Where a server that listens on `address` is found from its own machine.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
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
        for (listens, found) in [
            ("127.0.0.1:5", "127.0.0.1:5"),
            ("192.0.2.7:5", "192.0.2.7:5"),
            ("0.0.0.0:5", "127.0.0.1:5"),
            ("[::]:5", "[::1]:5"),
        ] {
            let parsed = |text: &str| text.parse::<SocketAddr>().expect("an address");
            assert_eq!(reachable(parsed(listens)), parsed(found));
        }
    }
}
