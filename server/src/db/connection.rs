//! A connection of either driver, and its statements.

use std::time::Duration;

use sea_orm::{
    DbBackend, ExecResult, QueryResult, SqlxError, Statement,
    sea_query::Values,
    sqlx::{
        self, AssertSqlSafe, Connection as _, Database, Executor, IntoArguments, PgConnection,
        Postgres, SqlStr, Sqlite, query::Query, sqlite::SqliteConnection,
    },
};
use sea_query_sqlx::SqlxValues;
use sqlx_core::transaction::TransactionManager;
use tokio::time::timeout;

use super::{error_code::ErrorCode, read_only};

/// SQLite's codes for a statement that failed without side effects: the lock is held by another
/// process, or a constraint is violated.
const SQLITE_REFUSALS: [u32; 2] = [5, 19];

type PostgresTransactions = <Postgres as Database>::TransactionManager;
type SqliteTransactions = <Sqlite as Database>::TransactionManager;

/// The time limit to close a connection to a server.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection.
pub enum Connection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Evaluates `$work` with the connection of either driver as `$on`.
macro_rules! on_driver {
    ($connection:expr, $on:ident => $work:expr) => {
        match $connection {
            Self::Postgres($on) => $work,
            Self::Sqlite($on) => $work,
        }
    };
}

impl Connection {
    /// The kind of database.
    pub fn backend(&self) -> DbBackend {
        match self {
            Self::Postgres(_) => DbBackend::Postgres,
            Self::Sqlite(_) => DbBackend::Sqlite,
        }
    }

    /// Sends `begin`, and fails where a transaction is open already.
    pub async fn begin(&mut self, begin: &'static str) -> Result<(), SqlxError> {
        let begin = Some(SqlStr::from_static(begin));
        match self {
            Self::Postgres(on) => PostgresTransactions::begin(on, begin).await,
            Self::Sqlite(on) => SqliteTransactions::begin(on, begin).await,
        }
    }

    /// Commits the transaction.
    pub async fn commit(&mut self) -> Result<(), SqlxError> {
        match self {
            Self::Postgres(on) => PostgresTransactions::commit(on).await,
            Self::Sqlite(on) => SqliteTransactions::commit(on).await,
        }
    }

    /// Rolls the transaction back.
    pub async fn rollback(&mut self) -> Result<(), SqlxError> {
        match self {
            Self::Postgres(on) => PostgresTransactions::rollback(on).await,
            Self::Sqlite(on) => SqliteTransactions::rollback(on).await,
        }
    }

    /// Whether a transaction is open by the driver's count.
    pub fn is_in_transaction(&self) -> bool {
        on_driver!(self, on => on.is_in_transaction())
    }

    /// Whether no transaction is open, by the driver's count and by the database, which is queried.
    /// Waits for a statement in progress.
    pub async fn is_free(&mut self) -> Result<bool, SqlxError> {
        if self.is_in_transaction() {
            return Ok(false);
        }
        // The driver treats this as a `BEGIN`, and fails because none is open afterwards, which is
        // how it reports that. In a failed transaction it is an error.
        match self.begin("SELECT 1").await {
            Ok(()) => Ok(false),
            Err(SqlxError::BeginFailed) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether this is a connection to a read-only server.
    pub async fn is_read_only_server(&mut self) -> Result<bool, SqlxError> {
        match self {
            Self::Postgres(on) => read_only::is_read_only_server(on).await,
            Self::Sqlite(_) => Ok(false),
        }
    }

    /// Returns the memory of large statements and rows to the allocator.
    pub fn shrink_buffers(&mut self) {
        on_driver!(self, on => on.shrink_buffers());
    }

    /// Closes the connection: a file is closed before this returns, a server is told and has a second
    /// to agree. Over TLS it is waited for, and one that is not told waits as well.
    pub async fn close(self) -> Result<(), SqlxError> {
        match self {
            Self::Postgres(on) => {
                timeout(CLOSE_TIMEOUT, on.close()).await.unwrap_or_else(|_elapsed| Ok(()))
            }
            Self::Sqlite(on) => on.close().await,
        }
    }

    pub async fn execute(&mut self, statement: Statement) -> Result<ExecResult, SqlxError> {
        on_driver!(self, on => query(statement).execute(on).await.map(Into::into))
    }

    pub async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, SqlxError> {
        let sql = AssertSqlSafe(sql.to_owned());
        on_driver!(self, on => on.execute(sql).await.map(Into::into))
    }

    pub async fn query_one(
        &mut self,
        statement: Statement,
    ) -> Result<Option<QueryResult>, SqlxError> {
        on_driver!(self, on => Ok(query(statement).fetch_optional(on).await?.map(Into::into)))
    }

    pub async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, SqlxError> {
        on_driver!(self, on => {
            let rows = query(statement).fetch_all(on).await?;
            Ok(rows.into_iter().map(Into::into).collect())
        })
    }
}

/// Whether the state of a connection is unknown after this error: SQLite rolls a transaction back
/// by itself when the disk is full or fails, memory runs out, or it is interrupted; a server
/// without a response may have done anything.
pub fn is_in_doubt(error: &SqlxError) -> bool {
    match ErrorCode::of(error) {
        Some(ErrorCode::Sqlite(code)) => !SQLITE_REFUSALS.contains(&code),
        // PostgreSQL then refuses everything but a rollback.
        Some(ErrorCode::SqlState(_)) => false,
        None => true,
    }
}

fn query<DB>(statement: Statement) -> Query<'static, DB, SqlxValues>
where
    DB: Database,
    SqlxValues: IntoArguments<DB>,
{
    let values = statement.values.unwrap_or(Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values))
}
