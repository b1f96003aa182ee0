//! A connection of either driver, and its statements.

use std::{sync::Arc, time::Duration};

use sea_orm::{
    DbBackend, ExecResult, QueryResult, SqlxError, Statement,
    sea_query::Values,
    sqlx::{
        self, AssertSqlSafe, Connection as _, Database, Executor, IntoArguments, PgConnection,
        Postgres, SqlSafeStr as _, SqlStr, Sqlite, database::HasStatementCache, query::Query,
        sqlite::SqliteConnection,
    },
};
use sea_query_sqlx::SqlxValues;
use sqlx_core::transaction::TransactionManager;
use tokio::time::timeout;

use super::{error_code::ErrorCode, read_only, transaction::BEGIN_STATEMENT};

/// SQLite's codes for a statement that failed without side effects: the lock is held by another
/// process, or a constraint is violated.
const SQLITE_REFUSALS: [u32; 2] = [5, 19];

type PostgresTransactions = <Postgres as Database>::TransactionManager;
type SqliteTransactions = <Sqlite as Database>::TransactionManager;

/// The time limit to close a connection to a server.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection.
pub enum Connection {
    /// A server's; with the statement that sets the settings of a transaction, where a pooler gives
    /// any of them another session.
    Postgres(PgConnection, Option<Arc<str>>),
    Sqlite(SqliteConnection),
}

/// Evaluates `$work` with the connection of either driver as `$on`.
macro_rules! on_driver {
    ($connection:expr, $on:ident => $work:expr) => {
        match $connection {
            Self::Postgres($on, _) => $work,
            Self::Sqlite($on) => $work,
        }
    };
}

impl Connection {
    /// The kind of database.
    pub fn backend(&self) -> DbBackend {
        match self {
            Self::Postgres(..) => DbBackend::Postgres,
            Self::Sqlite(_) => DbBackend::Sqlite,
        }
    }

    /// Whether a pooler gives each transaction another session.
    pub fn is_pooled(&self) -> bool {
        matches!(self, Self::Postgres(_, Some(_)))
    }

    /// Sends `begin`, and fails where a transaction is open already.
    pub async fn begin(&mut self, begin: &'static str) -> Result<(), SqlxError> {
        let begin = match self {
            Self::Postgres(_, Some(settings)) => {
                AssertSqlSafe(format!("{begin}; {settings}")).into_sql_str()
            }
            _ => SqlStr::from_static(begin),
        };
        self.send_begin(begin).await
    }

    async fn send_begin(&mut self, begin: SqlStr) -> Result<(), SqlxError> {
        match self {
            Self::Postgres(on, _) => PostgresTransactions::begin(on, Some(begin)).await,
            Self::Sqlite(on) => SqliteTransactions::begin(on, Some(begin)).await,
        }
    }

    /// Commits the transaction.
    pub async fn commit(&mut self) -> Result<(), SqlxError> {
        match self {
            Self::Postgres(on, _) => PostgresTransactions::commit(on).await,
            Self::Sqlite(on) => SqliteTransactions::commit(on).await,
        }
    }

    /// Rolls the transaction back.
    pub async fn rollback(&mut self) -> Result<(), SqlxError> {
        match self {
            Self::Postgres(on, _) => PostgresTransactions::rollback(on).await,
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
        match self.send_begin(SqlStr::from_static("SELECT 1")).await {
            Ok(()) => Ok(false),
            Err(SqlxError::BeginFailed) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether this is a connection to a read-only server.
    pub async fn is_read_only_server(&mut self) -> Result<bool, SqlxError> {
        match self {
            Self::Postgres(on, _) => read_only::is_read_only_server(on).await,
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
            Self::Postgres(on, _) => {
                timeout(CLOSE_TIMEOUT, on.close()).await.unwrap_or_else(|_elapsed| Ok(()))
            }
            Self::Sqlite(on) => on.close().await,
        }
    }

    pub async fn execute(&mut self, statement: Statement) -> Result<ExecResult, SqlxError> {
        let alone = self.begin_alone().await?;
        let done = on_driver!(self, on => alone.query(statement).execute(on).await.map(Into::into));
        self.end_alone(alone, done).await
    }

    pub async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, SqlxError> {
        let sql = AssertSqlSafe(sql.to_owned());
        let alone = self.begin_alone().await?;
        let done = on_driver!(self, on => on.execute(sql).await.map(Into::into));
        self.end_alone(alone, done).await
    }

    pub async fn query_one(
        &mut self,
        statement: Statement,
    ) -> Result<Option<QueryResult>, SqlxError> {
        let alone = self.begin_alone().await?;
        let found = on_driver!(self, on => {
            alone.query(statement).fetch_optional(on).await.map(|row| row.map(Into::into))
        });
        self.end_alone(alone, found).await
    }

    pub async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, SqlxError> {
        let alone = self.begin_alone().await?;
        let found = on_driver!(self, on => {
            let rows = alone.query(statement).fetch_all(on).await;
            rows.map(|rows| rows.into_iter().map(Into::into).collect())
        });
        self.end_alone(alone, found).await
    }

    /// Begins the transaction of a single statement, where it needs one: behind a pooler the driver's
    /// two messages of a statement would each find another session.
    async fn begin_alone(&mut self) -> Result<Alone, SqlxError> {
        let is_pooled = self.is_pooled();
        let in_own_transaction = is_pooled && !self.is_in_transaction();
        if in_own_transaction {
            self.begin(BEGIN_STATEMENT).await?;
        }
        Ok(Alone { is_pooled, in_own_transaction })
    }

    async fn end_alone<T>(
        &mut self,
        alone: Alone,
        done: Result<T, SqlxError>,
    ) -> Result<T, SqlxError> {
        if alone.in_own_transaction {
            match &done {
                Ok(_) => self.commit().await?,
                // Without a response of the server the connection is closed.
                Err(error) if is_in_doubt(error) => {}
                Err(_) => self.rollback().await?,
            }
        }
        done
    }
}

/// What a single statement needs behind a pooler, and nowhere else.
#[derive(Clone, Copy)]
struct Alone {
    is_pooled: bool,
    in_own_transaction: bool,
}

impl Alone {
    /// The statement for the driver, which names those that it keeps.
    fn query<DB>(self, statement: Statement) -> Query<'static, DB, SqlxValues>
    where
        DB: Database + HasStatementCache,
        SqlxValues: IntoArguments<DB>,
    {
        let values = statement.values.unwrap_or(Values(Vec::new()));
        let query = sqlx::query_with(AssertSqlSafe(statement.sql), SqlxValues(values));
        query.persistent(!self.is_pooled)
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
