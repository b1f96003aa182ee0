//! The ports of a server, bound before anything is served on them.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

use crate::settings::Settings;

/// Ports that were taken, and on which nothing is spoken yet.
pub struct Ports {
    pub grpc: BoundPort,
    pub http: Option<BoundPort>,
}

/// A port that was taken.
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

    /// The port, for one who accepts. It is closed when the last of them is gone.
    pub fn listener(&self) -> Result<TcpListener, BindError> {
        let socket = self.socket.try_clone().and_then(TcpListener::from_std);
        socket.map_err(|source| BindError::Address { address: self.address, source })
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
