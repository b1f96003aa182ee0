//! The reachability of a database: its location, and the cause of a failure.

use std::{error::Error, fmt, io, time::Duration};

use sea_orm::{ConnAcquireErr, DbBackend, DbErr, RuntimeErr, SqlxError};

use super::{
    Database, DatabaseUrl,
    connection::Connection,
    connector::Connector,
    error_code::{ErrorCode, READ_ONLY, driver_error, is_locked},
    read_only,
    servers::Servers,
};
use crate::hop::{Hop, Protection};

/// The failure to reach a database or another server.
#[derive(Clone, Debug)]
pub struct Unreachable {
    /// The location, without user and password.
    pub location: String,
    /// Whether the failure may pass without a change of settings.
    pub is_transient: bool,
    pub(crate) why: String,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.why)
    }
}

impl Error for Unreachable {}

impl Unreachable {
    /// The cause, without the location.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.why == read_only::MESSAGE
    }
}

impl From<Unreachable> for DbErr {
    fn from(unreachable: Unreachable) -> Self {
        Self::Conn(RuntimeErr::Internal(unreachable.to_string()))
    }
}

impl DatabaseUrl {
    /// Connects once to a database on a server, and disconnects: a pool would report no cause but a
    /// timeout. A file is not opened.
    pub async fn check_reachable(&self) -> Result<(), Unreachable> {
        if self.backend != DbBackend::Postgres {
            return Ok(());
        }
        let servers = self.servers().map_err(|error| Unreachable {
            location: "PostgreSQL".to_owned(),
            is_transient: false,
            why: cause(&error),
        })?;
        check_reachable(&servers, servers.time_limit()).await
    }
}

impl Database {
    /// The location of the database, without user and password.
    #[must_use]
    pub fn location(&self) -> String {
        match self.writer.connector() {
            Connector::Postgres { servers, .. } => servers.location(),
            Connector::Sqlite { options, .. } => {
                format!("SQLite at {}", options.get_filename().display())
            }
        }
    }

    /// The connection to the servers, as it is now; `None` for SQLite, which has none.
    pub async fn hop<'a>(&self, location: &'a str) -> Result<Option<Hop<'a>>, DbErr> {
        let Connector::Postgres { servers, .. } = self.writer.connector() else { return Ok(None) };
        let protection = match (self.is_encrypted().await?, servers.are_verified()) {
            (Some(true), true) => Protection::Verified,
            (Some(true), false) => Protection::Encrypted,
            _ => Protection::Clear,
        };
        let remedy = "write sslmode=verify-full in DATABASE_URL";
        Ok(Some(Hop { to: location, protection, is_local: servers.are_local(), remedy }))
    }

    /// Logs a warning if the connection to a server crosses the network in clear.
    pub(super) async fn warn_if_clear(&self) -> Result<(), DbErr> {
        let Connector::Postgres { servers, .. } = self.writer.connector() else { return Ok(()) };
        if !servers.are_local()
            && let Some(hop) = self.hop(&servers.location()).await?
        {
            hop.warn_if_clear();
        }
        Ok(())
    }

    /// Whether connections lead to a pooler, whose sessions change with transactions.
    #[must_use]
    pub fn is_pooled(&self) -> bool {
        matches!(self.writer.connector(), Connector::Postgres { servers, .. } if servers.is_pooled())
    }

    /// The cause of a failure, from a connection outside of the pool.
    pub(super) async fn diagnose(&self, timeout: Duration) -> Result<(), Unreachable> {
        match self.writer.connector() {
            Connector::Postgres { servers, .. } => check_reachable(servers, timeout).await,
            Connector::Sqlite { .. } => Ok(()),
        }
    }
}

async fn check_reachable(servers: &Servers, timeout: Duration) -> Result<(), Unreachable> {
    let unreachable =
        |is_transient, why| Unreachable { location: servers.location(), is_transient, why };
    match tokio::time::timeout(timeout, servers.connect(true)).await {
        Ok(Ok(found)) => {
            let _ = Connection::Postgres(found.connection, None).close().await;
            Ok(())
        }
        Ok(Err(error)) => Err(unreachable(is_transient(&error), cause(&error))),
        Err(_elapsed) => Err(unreachable(true, "does not answer".to_owned())),
    }
}

/// The cause as the system or the server reports it, without the driver's prefix.
fn cause(error: &SqlxError) -> String {
    match error {
        SqlxError::Io(error) => error.to_string(),
        SqlxError::Database(error) => error.message().to_owned(),
        SqlxError::Tls(error) => format!("TLS: {error}"),
        SqlxError::Configuration(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Whether a failure is transient: the database is unavailable, starting, stopping, locked or
/// read-only for a moment. A wrong password or certificate is permanent.
pub(super) fn is_transient(error: &SqlxError) -> bool {
    match error {
        // A TLS failure is reported as invalid data.
        SqlxError::Io(error) => error.kind() != io::ErrorKind::InvalidData,
        SqlxError::PoolTimedOut | SqlxError::PoolClosed | SqlxError::WorkerCrashed => true,
        SqlxError::Configuration(error) => error.to_string() == read_only::MESSAGE,
        error => match ErrorCode::of(error) {
            // Classes 08 (connection), 53 (resources) and 57 (operator), and single states.
            Some(ErrorCode::SqlState(state)) => {
                ["08", "53", "57"].iter().any(|class| state.starts_with(class))
                    || matches!(&*state, READ_ONLY | "40001" | "40P01" | "55P03")
            }
            Some(ErrorCode::Sqlite(code)) => is_locked(code),
            None => false,
        },
    }
}

/// Whether `error` has a transient database failure among its causes.
#[must_use]
pub fn is_unavailable(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<Unreachable>() {
            return error.is_transient;
        }
        if let Some(error) = error.downcast_ref::<DbErr>() {
            return matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
                || driver_error(error).is_some_and(is_transient);
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sea_orm::RuntimeErr;

    use super::*;

    #[tokio::test]
    async fn a_failure_has_a_location_and_a_cause_and_no_password() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = closed.local_addr().expect("an address").port();
        drop(closed);
        let url = format!("postgres://ada:Zq7-marker@127.0.0.1:{port}/tasks");
        let url = DatabaseUrl::parse(&url, 8).expect("an address");
        let unreachable = url.check_reachable().await.expect_err("nobody listens");
        assert!(unreachable.is_transient);
        let said = DbErr::from(unreachable).to_string();
        assert!(said.contains(&format!("PostgreSQL at 127.0.0.1:{port}/tasks")), "{said}");
        assert!(said.contains("Connection refused"), "{said}");
        assert!(!said.contains("marker") && !said.contains("ada"), "{said}");
    }

    #[test]
    fn transient_failures_are_distinguished_from_permanent_ones() {
        let refused = SqlxError::Io(io::ErrorKind::ConnectionRefused.into());
        let certificate = SqlxError::Io(io::Error::new(io::ErrorKind::InvalidData, "unknown"));
        assert!(is_transient(&refused));
        assert!(!is_transient(&certificate));
        assert!(is_transient(&SqlxError::PoolTimedOut));
        assert!(!is_transient(&SqlxError::Tls("no".into())));
        let nested = DbErr::Conn(RuntimeErr::SqlxError(Arc::new(refused)));
        assert!(is_unavailable(&nested));
        assert!(!is_unavailable(&DbErr::Custom("a table is missing".into())));
    }
}
