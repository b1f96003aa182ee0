//! The loopback channel: this process's own gRPC port, for services in it that call each other.

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

/// The gRPC port of a server, which may not be bound yet.
#[derive(Clone, Debug, Default)]
pub struct Loopback(Arc<OnceLock<SocketAddr>>);

impl Loopback {
    /// Sets the address, once.
    pub(super) fn set_address(&self, address: SocketAddr) {
        let _ = self.0.set(loopback_address(address));
    }

    /// A channel that connects on first use, when the port must be bound. Its calls pass gates and
    /// limits like those of every client.
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
