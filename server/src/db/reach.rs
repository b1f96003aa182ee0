//! Whether a database can be reached, and if not, where it was looked for and why not.

use std::{error::Error, fmt, io, time::Duration};

use sea_orm::{
    ConnAcquireErr, DbBackend, DbErr, RuntimeErr, SqlxError,
    sqlx::{ConnectOptions as _, Connection, postgres::PgConnectOptions},
};

use super::{
    Database, DatabaseUrl, PATIENCE,
    error_code::{ErrorCode, driver_error},
    read_only,
};

/// A database that cannot be used now.
#[derive(Clone, Debug)]
pub struct Unreachable {
    /// Where it was looked for, without user and password.
    pub place: String,
    /// Whether it may be there later without anybody changing a setting.
    pub may_come: bool,
    why: String,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

impl Error for Unreachable {}

impl Unreachable {
    /// The cause alone.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    pub(crate) fn is_read_only(&self) -> bool {
        self.why == read_only::WORDS
    }
}

impl From<Unreachable> for DbErr {
    fn from(unreachable: Unreachable) -> Self {
        Self::Conn(RuntimeErr::Internal(unreachable.to_string()))
    }
}

impl DatabaseUrl {
    /// Connects once to a database on a server, and lets go again. A pool would say no more
    /// than that its time is up. A file is not touched.
    pub async fn reach(&self) -> Result<(), Unreachable> {
        if self.backend != DbBackend::Postgres {
            return Ok(());
        }
        let parsed = self.url.parse::<PgConnectOptions>().map_err(|error| Unreachable {
            place: "PostgreSQL".to_owned(),
            may_come: false,
            why: cause(&error),
        })?;
        reach(&parsed, PATIENCE).await
    }
}

impl Database {
    /// Where this database is, without user and password.
    #[must_use]
    pub fn place(&self) -> String {
        if self.backend() == DbBackend::Postgres {
            place(&self.writer.get_postgres_connection_pool().connect_options())
        } else {
            let options = self.writer.get_sqlite_connection_pool().connect_options();
            format!("SQLite at {}", options.get_filename().display())
        }
    }

    /// Why it does not answer, asked apart from its pool.
    pub(super) async fn diagnosis(&self, patience: Duration) -> Result<(), Unreachable> {
        if self.backend() != DbBackend::Postgres {
            return Ok(());
        }
        reach(&self.writer.get_postgres_connection_pool().connect_options(), patience).await
    }
}

async fn reach(options: &PgConnectOptions, patience: Duration) -> Result<(), Unreachable> {
    let unreachable = |may_come, why| Unreachable { place: place(options), may_come, why };
    let asked = async {
        let mut connection = options.connect().await?;
        let is_read_only = read_only::is_so(&mut connection).await?;
        let _ = connection.close().await;
        Ok::<_, SqlxError>(is_read_only)
    };
    match tokio::time::timeout(patience, asked).await {
        Ok(Ok(false)) => Ok(()),
        Ok(Ok(true)) => Err(unreachable(true, read_only::WORDS.to_owned())),
        Ok(Err(error)) => Err(unreachable(may_come(&error), cause(&error))),
        Err(_elapsed) => Err(unreachable(true, "does not answer".to_owned())),
    }
}

fn place(options: &PgConnectOptions) -> String {
    let name = options.get_database().unwrap_or(options.get_username());
    match options.get_socket() {
        Some(folder) => format!("PostgreSQL at {}/{name}", folder.display()),
        None => format!("PostgreSQL at {}:{}/{name}", options.get_host(), options.get_port()),
    }
}

/// What the system or the server said, without the driver's words around it.
fn cause(error: &SqlxError) -> String {
    match error {
        SqlxError::Io(error) => error.to_string(),
        SqlxError::Database(error) => error.message().to_owned(),
        SqlxError::Tls(error) => format!("TLS: {error}"),
        SqlxError::Configuration(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Whether a failure of the database passes by itself: it is away, starting, stopping,
/// locked or read-only for a moment. A wrong password or certificate does not.
pub(super) fn may_come(error: &SqlxError) -> bool {
    match error {
        // What TLS refuses comes as data that are invalid.
        SqlxError::Io(error) => error.kind() != io::ErrorKind::InvalidData,
        SqlxError::PoolTimedOut | SqlxError::PoolClosed | SqlxError::WorkerCrashed => true,
        error => match ErrorCode::of(error) {
            // Classes 08 (connection), 53 (resources) and 57 (operator), and single states.
            Some(ErrorCode::SqlState(state)) => {
                ["08", "53", "57"].iter().any(|class| state.starts_with(class))
                    || matches!(&*state, read_only::SQLSTATE | "40001" | "40P01" | "55P03")
            }
            // "Busy" and "locked".
            Some(ErrorCode::Sqlite(code)) => matches!(code, 5 | 6),
            None => false,
        },
    }
}

/// The same of an error with a database's among its causes.
#[must_use]
pub fn is_away(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<Unreachable>() {
            return error.may_come;
        }
        if let Some(error) = error.downcast_ref::<DbErr>() {
            return matches!(error, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
                || driver_error(error).is_some_and(may_come);
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
    async fn an_address_and_a_cause_are_told_and_no_password() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = closed.local_addr().expect("an address").port();
        drop(closed);
        let url = format!("postgres://ada:Zq7-marker@127.0.0.1:{port}/tasks");
        let url = DatabaseUrl::parse(&url, 8).expect("an address");
        let away = url.reach().await.expect_err("nobody listens");
        assert!(away.may_come);
        let said = DbErr::from(away).to_string();
        assert!(said.contains(&format!("PostgreSQL at 127.0.0.1:{port}/tasks")), "{said}");
        assert!(said.contains("Connection refused"), "{said}");
        assert!(!said.contains("marker") && !said.contains("ada"), "{said}");
    }

    #[test]
    fn what_passes_by_itself_is_told_from_what_somebody_must_mend() {
        let refused = SqlxError::Io(io::ErrorKind::ConnectionRefused.into());
        let certificate = SqlxError::Io(io::Error::new(io::ErrorKind::InvalidData, "unknown"));
        assert!(may_come(&refused));
        assert!(!may_come(&certificate));
        assert!(may_come(&SqlxError::PoolTimedOut));
        assert!(!may_come(&SqlxError::Tls("no".into())));
        let nested = DbErr::Conn(RuntimeErr::SqlxError(Arc::new(refused)));
        assert!(is_away(&nested));
        assert!(!is_away(&DbErr::Custom("a table is missing".into())));
    }
}
