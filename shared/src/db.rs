//! One handle for SQLite and PostgreSQL: readers, one way to write, migrations under a
//! lock.

mod doctor;
mod examination;
mod moment;
mod notices;
mod visit;

use std::{fs, io, os::unix::fs::DirBuilderExt, path::Path, time::Duration};

use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database as Driver, DatabaseConnection,
    DatabaseTransaction, DbBackend, DbErr, RuntimeErr, SqliteTransactionMode, SqlxError,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use url::Url;

pub use self::{doctor::examine, examination::Migrations, moment::moment_value, notices::Notices};
use crate::{
    config::{Reader, Vars},
    error::Kind,
};

/// How long a call may wait for a connection, a lock or a statement before the database
/// counts as busy.
const PATIENCE: Duration = Duration::from_secs(4);

/// SQLite readers beside the one writer; more gain nothing, fewer cost throughput.
const SQLITE_READERS: u32 = 8;

/// Where the data is. It can hold a password, so it has no `Debug`.
#[derive(Clone)]
pub struct DatabaseUrl {
    url: String,
    backend: DbBackend,
    connections: u32,
}

impl DatabaseUrl {
    /// Reads `DATABASE_URL` and `DATABASE_MAX_CONNECTIONS` (PostgreSQL only).
    pub fn read(reader: &mut Reader<'_, impl Vars>, default: &str) -> Option<Self> {
        Self::read_from(reader, "DATABASE_URL", default)
    }

    /// The same from a variable of another name, for a process with several databases.
    pub fn read_from(
        reader: &mut Reader<'_, impl Vars>,
        name: &'static str,
        default: &str,
    ) -> Option<Self> {
        let connections = reader.number("DATABASE_MAX_CONNECTIONS", 8, 1, 1000);
        if !reader.is_set(name) {
            return Self::parse(default, connections).ok();
        }
        reader.parsed(name, |text| Self::parse(text, connections))
    }

    /// `sqlite://path/to/file.db` or `postgres://user:password@host:port/name`.
    pub fn parse(url: &str, connections: u32) -> Result<Self, String> {
        let backend = match url.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() && !path.starts_with(':') => {
                DbBackend::Sqlite
            }
            // Parsed here because the driver's own complaint quotes the password.
            Some(("postgres" | "postgresql", _)) if Url::parse(url).is_ok() => DbBackend::Postgres,
            _ => {
                return Err("must be `sqlite://path/to/file.db` or \
                            `postgres://user:password@host:port/name`"
                    .to_owned());
            }
        };
        Ok(Self { url: url.to_owned(), backend, connections })
    }

    /// The file of a SQLite database.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        let path = self.url.strip_prefix("sqlite://")?;
        Some(Path::new(path.split('?').next().unwrap_or(path)))
    }

    fn options(&self, connections: u32) -> ConnectOptions {
        let mut options = ConnectOptions::new(self.url.clone());
        options
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_timeout(PATIENCE)
            .test_before_acquire_if_idle_for(Duration::from_secs(10))
            .sqlx_logging(false);
        options
    }
}

/// An open database.
///
/// SQLite gets one connection that writes and several that cannot; PostgreSQL one pool.
#[derive(Clone)]
pub struct Database {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
}

impl Database {
    /// Connects; for SQLite also makes the file and its folder.
    pub async fn connect(url: &DatabaseUrl) -> Result<Self, DbErr> {
        if url.backend == DbBackend::Postgres {
            let mut options = url.options(url.connections);
            options.statement_timeout(PATIENCE);
            let pool = Driver::connect(options).await?;
            return Ok(Self { reader: pool.clone(), writer: pool });
        }
        make_folder(url).map_err(|e| DbErr::Custom(format!("cannot make the folder: {e}")))?;
        let mut options = url.options(1);
        options.map_sqlx_sqlite_opts(|file| {
            file.create_if_missing(true)
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                .busy_timeout(PATIENCE)
                .foreign_keys(true)
        });
        let writer = Driver::connect(options).await?;
        let mut options = url.options(SQLITE_READERS);
        options.map_sqlx_sqlite_opts(|file| {
            file.pragma("query_only", "ON").busy_timeout(PATIENCE).foreign_keys(true)
        });
        Ok(Self { reader: Driver::connect(options).await?, writer })
    }

    /// For single statements that only read.
    #[must_use]
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For single statements that write.
    #[must_use]
    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Which of the two it is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// Begins a transaction that may read and write. On SQLite it holds the write lock
    /// from the start: a read that turns into a write later fails at once when somebody
    /// else wrote in between. Dropped without `commit`, it rolls back.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            access_mode: None::<AccessMode>,
            isolation_level: None,
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        self.writer.begin_with_options(options).await
    }

    /// Applies what is missing of `M`, all of it or nothing, however many processes start
    /// at once: the second one waits and then finds nothing to do.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<(), DbErr> {
        let transaction = self.begin().await?;
        if self.backend() == DbBackend::Postgres {
            let table = M::migration_table_name().to_string();
            transaction
                .execute_unprepared(&format!(
                    "SET LOCAL statement_timeout = '60s'; \
                     SELECT pg_advisory_xact_lock(hashtext('{table}'))"
                ))
                .await?;
        }
        M::up(&transaction, None).await?;
        transaction.commit().await
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.reader.execute_unprepared("SELECT 1").await.map(drop)
    }

    /// Closes all connections; SQLite folds its journal back into the file.
    pub async fn close(self) -> Result<(), DbErr> {
        self.reader.close().await?;
        self.writer.close().await
    }
}

/// What a failure of the database means for a caller: it is away or busy and the call may
/// succeed later, unless it did answer and the code takes the answer for something else,
/// which no repetition mends.
#[must_use]
pub fn kind(error: &DbErr) -> Kind {
    use SqlxError::{
        ColumnDecode, ColumnIndexOutOfBounds, ColumnNotFound, Decode, Encode, TypeNotFound,
    };
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
            match **cause {
                ColumnDecode { .. }
                | ColumnIndexOutOfBounds { .. }
                | ColumnNotFound(_)
                | Decode(_)
                | Encode(_)
                | TypeNotFound { .. } => Kind::Internal,
                _ => Kind::Unavailable,
            }
        }
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) | DbErr::Exec(_) | DbErr::Query(_) => {
            Kind::Unavailable
        }
        _ => Kind::Internal,
    }
}

/// Makes the folder a SQLite file lies in.
fn make_folder(url: &DatabaseUrl) -> io::Result<()> {
    match url.file().and_then(Path::parent) {
        // Rows hold e-mails and password hashes: the folder is its owner's alone.
        Some(folder) => fs::DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Statement;

    use super::*;

    #[test]
    fn only_addresses_of_the_two_databases_are_accepted() {
        for good in ["sqlite://data/a.db", "sqlite:///var/a.db", "postgres://u:p@h:1/d"] {
            assert!(DatabaseUrl::parse(good, 8).is_ok(), "{good}");
        }
        for bad in [
            "",
            "data/a.db",
            "mysql://u:p@h/d",
            "sqlite://",
            "sqlite://:memory:",
            "postgres://u:p@bad host/d",
            "postgres://u:p@h:pw/d",
        ] {
            assert!(DatabaseUrl::parse(bad, 8).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_database_that_is_away_may_come_back_and_a_misread_answer_may_not() {
        let away = DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout);
        let refuses = DbErr::Exec(RuntimeErr::SqlxError(SqlxError::PoolClosed.into()));
        let misread = SqlxError::Decode("priority is text".into());
        let misread = DbErr::Query(RuntimeErr::SqlxError(misread.into()));
        assert_eq!(kind(&away), Kind::Unavailable);
        assert_eq!(kind(&refuses), Kind::Unavailable);
        assert_eq!(kind(&misread), Kind::Internal);
        assert_eq!(kind(&DbErr::Type("priority".into())), Kind::Internal);
    }

    #[tokio::test]
    async fn sqlite_is_built_and_opened_to_be_fast_and_durable() -> Result<(), DbErr> {
        let folder = std::env::temp_dir().join(format!("db-{}", std::process::id()));
        let url = format!("sqlite://{}/sub/test.db", folder.display());
        let database = Database::connect(&DatabaseUrl::parse(&url, 8).expect("an address")).await?;
        #[expect(clippy::disallowed_methods, reason = "a pragma touches nobody's rows")]
        let pragma = async |on: &DatabaseConnection, name: &str| {
            let query = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {name}"));
            let rows = on.query_all_raw(query).await?;
            let text = |row: &sea_orm::QueryResult| {
                row.try_get_by_index::<String>(0)
                    .or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string()))
            };
            rows.iter().map(text).collect::<Result<Vec<_>, DbErr>>()
        };
        let options = pragma(database.reader(), "compile_options").await?;
        for flag in ["DEFAULT_MEMSTATUS=0", "ENABLE_QPSG"] {
            assert!(options.iter().any(|option| option == flag), "{flag}: {options:?}");
        }
        for on in [database.reader(), database.writer()] {
            assert_eq!(pragma(on, "journal_mode").await?, ["wal"]);
            assert_eq!(pragma(on, "foreign_keys").await?, ["1"]);
        }
        assert_eq!(pragma(database.writer(), "synchronous").await?, ["2"]);
        assert!(database.reader().execute_unprepared("CREATE TABLE t (x)").await.is_err());
        database.close().await?;
        fs::remove_dir_all(folder).expect("the folder");
        Ok(())
    }
}
