//! How a connection is opened: the settings of each kind of connection, and the checks of a new one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{
    DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxError, SqlxPostgresConnector,
    SqlxSqliteConnector,
    sqlx::{
        ConnectOptions,
        postgres::PgPoolOptions,
        sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePoolOptions},
    },
};

use super::{
    DatabaseUrl, TIMEOUT,
    connection::Connection,
    error_code::{ErrorCode, is_locked},
    read_only,
    servers::{ServerConnection, Servers},
};

/// The steps of SQLite's virtual machine between two checks of the clock: some ten milliseconds.
const STEPS: i32 = 100_000;

/// How the connections of a pool are opened.
#[derive(Clone)]
pub enum Connector {
    Postgres {
        servers: Servers,
        /// Whether connections to read-only servers are refused.
        writes: bool,
    },
    Sqlite {
        options: Box<SqliteConnectOptions>,
        /// The time limit of the statements between a checkout and the next.
        limit: Option<Duration>,
    },
}

impl DatabaseUrl {
    /// Connections to a server, with these settings of the session.
    pub(super) fn postgres(
        &self,
        writes: bool,
        settings: &[(&str, &str)],
    ) -> Result<Connector, DbErr> {
        let servers = self.servers().map_err(connection_error)?.with(settings);
        Ok(Connector::Postgres { servers, writes })
    }

    /// Connections to a file that exists.
    pub(super) fn sqlite(
        &self,
        limit: Option<Duration>,
        pragmas: &[(&'static str, String)],
    ) -> Result<Connector, DbErr> {
        let options = self.url.parse::<SqliteConnectOptions>().map_err(connection_error)?;
        let mut options = options
            .disable_statement_logging()
            // A file that vanishes is not replaced by an empty one.
            .create_if_missing(false)
            .busy_timeout(TIMEOUT)
            .foreign_keys(true);
        for (name, value) in pragmas {
            options = options.pragma(*name, value.clone());
        }
        Ok(Connector::Sqlite { options: Box::new(options), limit })
    }
}

impl Connector {
    /// The kind of database.
    pub fn backend(&self) -> DbBackend {
        match self {
            Self::Postgres { .. } => DbBackend::Postgres,
            Self::Sqlite { .. } => DbBackend::Sqlite,
        }
    }

    /// Opens a connection.
    pub async fn open(&self) -> Result<Connection, SqlxError> {
        let mut connection = match self {
            Self::Postgres { servers, writes } => {
                let found = servers.connect(*writes).await?;
                let settings = found.settings.filter(|_| found.is_pooled);
                Connection::Postgres(found.connection, settings)
            }
            Self::Sqlite { options, .. } => Connection::Sqlite(options.connect().await?),
        };
        self.check_out(&mut connection).await?;
        Ok(connection)
    }

    /// Whether an idle connection needs no [`check_out`](Self::check_out).
    pub fn is_ready_when_idle(&self) -> bool {
        !matches!(self, Self::Sqlite { limit: Some(_), .. })
    }

    /// Prepares a connection for its next user.
    pub async fn check_out(&self, connection: &mut Connection) -> Result<(), SqlxError> {
        match (self, connection) {
            (Self::Sqlite { limit: Some(limit), .. }, Connection::Sqlite(on)) => {
                set_deadline(on, *limit).await
            }
            _ => Ok(()),
        }
    }

    /// The longest that a connection takes to open, or not to.
    pub fn time_limit(&self) -> Duration {
        match self {
            Self::Postgres { servers, .. } => servers.time_limit(),
            Self::Sqlite { .. } => TIMEOUT,
        }
    }

    /// A pool of the driver's own with one connection, for the ORM's migrations, and the statement
    /// that sets the settings of a transaction, if there is a pooler.
    pub async fn driver_pool(&self) -> Result<(DatabaseConnection, Option<Arc<str>>), DbErr> {
        match self {
            Self::Postgres { servers, writes } => {
                let ServerConnection { connection, options, settings, .. } =
                    servers.connect(*writes).await.map_err(connection_error)?;
                let _ = Connection::Postgres(connection, None).close().await;
                let limit = servers.time_limit();
                let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(limit);
                let pool = pool.connect_with(options.clone()).await.map_err(connection_error)?;
                Ok((SqlxPostgresConnector::from_sqlx_postgres_pool(pool), settings))
            }
            Self::Sqlite { options, .. } => {
                let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(TIMEOUT);
                let pool =
                    pool.connect_with((**options).clone()).await.map_err(connection_error)?;
                Ok((SqlxSqliteConnector::from_sqlx_sqlite_pool(pool), None))
            }
        }
    }
}

/// Whether another attempt to connect may succeed within the time limit: the server is starting,
/// stopping or changes its role, ended the session, or another process has the file locked.
pub fn is_worth_a_retry(error: &SqlxError) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, UnexpectedEof};
    match error {
        SqlxError::Io(error) => {
            matches!(error.kind(), BrokenPipe | ConnectionRefused | ConnectionReset | UnexpectedEof)
        }
        SqlxError::Configuration(error) => error.to_string() == read_only::MESSAGE,
        SqlxError::Database(database) if database.is_transient_in_connect_phase() => true,
        error => match ErrorCode::of(error) {
            Some(ErrorCode::SqlState(state)) => state.starts_with("57P"),
            Some(ErrorCode::Sqlite(code)) => is_locked(code),
            None => false,
        },
    }
}

/// The ORM's error of a connection that failed.
pub fn connection_error(error: SqlxError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

async fn set_deadline(on: &mut SqliteConnection, limit: Duration) -> Result<(), SqlxError> {
    let end = Instant::now() + limit;
    on.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
}
