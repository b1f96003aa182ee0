//! A Redis server and the way to it: in clear, or over TLS.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, RedisError, aio::MultiplexedConnection,
};
use server::tls::RemoteTls;

/// The timeout of Redis, which answers within a millisecond or is unavailable.
const TIMEOUT: Duration = Duration::from_millis(300);

/// A Redis server. No `Debug`: the client can hold a password.
#[derive(Clone)]
pub struct RedisServer {
    /// The address without TLS, the credentials and the number of the database.
    pub client: Client,
    /// The TLS around it; `None`: it is in clear.
    pub tls: Option<RemoteTls>,
}

impl From<Client> for RedisServer {
    fn from(client: Client) -> Self {
        Self { client, tls: None }
    }
}

impl RedisServer {
    /// Host and port.
    pub fn address(client: &Client) -> (String, u16) {
        match client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) => (host.clone(), *port),
            // No other is parsed.
            other => (other.to_string(), 0),
        }
    }

    /// A connection, within the timeout.
    pub async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        let connecting = async {
            let Some(tls) = &self.tls else {
                return self.client.get_multiplexed_async_connection_with_config(&config).await;
            };
            let stream = tls.connect().await?;
            let info = self.client.get_connection_info().redis_settings();
            let (connection, driver) =
                MultiplexedConnection::new_with_config(info, stream, config).await?;
            // It ends with the last handle of the connection.
            tokio::spawn(driver);
            Ok(connection)
        };
        // The library's own timeout is for each step of it.
        tokio::time::timeout(TIMEOUT, connecting)
            .await
            .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
    }
}
