//! The ports of a server, bound before anything is served on them.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

use crate::settings::Settings;

/// The bound ports of a server.
pub struct Ports {
    pub grpc: BoundPort,
    pub http: Option<BoundPort>,
}

/// A bound port.
pub struct BoundPort {
    pub address: SocketAddr,
    socket: std::net::TcpListener,
}

impl Ports {
    pub async fn bind(settings: &Settings) -> Result<Self, BindError> {
        let grpc = BoundPort::bind(settings.grpc_addr).await?;
        let http = match settings.http_addr {
            Some(address) => Some(BoundPort::bind(address).await?),
            None => None,
        };
        Ok(Self { grpc, http })
    }
}

impl BoundPort {
    async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        let fault = |source| BindError::Address { address, source };
        let socket = TcpListener::bind(address).await.map_err(fault)?;
        let real = socket.local_addr().map_err(fault)?;
        Ok(Self { address: real, socket: socket.into_std().map_err(fault)? })
    }

    /// A listener on the port, which is closed when the last of its listeners is dropped.
    pub fn listener(&self) -> Result<TcpListener, BindError> {
        let socket = self.socket.try_clone().and_then(TcpListener::from_std);
        socket.map_err(|source| BindError::Address { address: self.address, source })
    }
}

/// The address of the HTTP port for the log.
pub fn or_off(address: Option<SocketAddr>) -> String {
    address.map_or_else(|| "off".to_owned(), |address| address.to_string())
}

/// The server could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The port is in use, or not permitted.
    #[error("cannot listen on {address}")]
    Address {
        /// The address in the settings.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The descriptors are damaged.
    #[error("cannot set up reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
}
