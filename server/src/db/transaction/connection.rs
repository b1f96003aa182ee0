//! The connection of a transaction, of either database.

use sea_orm::{
    ConnAcquireErr, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    SqlxError, Statement,
    sea_query::Values,
    sqlx::{
        self, AssertSqlSafe, Database, Executor, IntoArguments, Postgres, SqlStr, Sqlite,
        pool::PoolConnection, query::Query,
    },
};
use sea_query_sqlx::SqlxValues;
use sqlx_core::transaction::TransactionManager;

use crate::db::error_code::ErrorCode;

/// SQLite's codes for a statement that failed without side effects: the lock is held by another
/// process, or a constraint is violated.
const SQLITE_REFUSALS: [u32; 2] = [5, 19];

/// A connection, returned to the pool when dropped.
pub enum Connection {
    Postgres(PoolConnection<Postgres>),
    Sqlite(PoolConnection<Sqlite>),
}

impl Connection {
    /// Acquires a connection from a pool.
    pub async fn acquire(on: &DatabaseConnection) -> Result<Self, DbErr> {
        let taken = match on.get_database_backend() {
            DbBackend::Postgres => {
                on.get_postgres_connection_pool().acquire().await.map(Self::Postgres)
            }
            _ => on.get_sqlite_connection_pool().acquire().await.map(Self::Sqlite),
        };
        taken.map_err(|error| match error {
            SqlxError::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
            SqlxError::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
        })
    }

    /// Sends `begin`, and fails where a transaction is open already.
    pub async fn begin(&mut self, begin: &'static str) -> Result<(), SqlxError> {
        let begin = Some(SqlStr::from_static(begin));
        match self {
            Self::Postgres(on) => {
                <Postgres as Database>::TransactionManager::begin(on, begin).await
            }
            Self::Sqlite(on) => <Sqlite as Database>::TransactionManager::begin(on, begin).await,
        }
    }

    /// Commits the transaction.
    pub async fn commit(&mut self) -> Result<(), SqlxError> {
        match self {
            Self::Postgres(on) => <Postgres as Database>::TransactionManager::commit(on).await,
            Self::Sqlite(on) => <Sqlite as Database>::TransactionManager::commit(on).await,
        }
    }

    /// Rolls the transaction back.
    pub async fn rollback(&mut self) -> Result<(), SqlxError> {
        match self {
            Self::Postgres(on) => <Postgres as Database>::TransactionManager::rollback(on).await,
            Self::Sqlite(on) => <Sqlite as Database>::TransactionManager::rollback(on).await,
        }
    }

    /// Closes the connection instead of returning it, after `error` from `what`. The database then
    /// rolls back what was not committed.
    pub fn close(self, what: &str, error: &SqlxError) {
        let database = match self {
            Self::Postgres(mut on) => {
                on.close_on_drop();
                "PostgreSQL"
            }
            Self::Sqlite(mut on) => {
                on.close_on_drop();
                "SQLite"
            }
        };
        tracing::warn!(database, after = what, %error, "a connection in an unknown state is closed");
    }

    pub async fn execute(&mut self, statement: &Statement) -> Result<ExecResult, SqlxError> {
        match self {
            Self::Postgres(on) => query(statement).execute(&mut **on).await.map(Into::into),
            Self::Sqlite(on) => query(statement).execute(&mut **on).await.map(Into::into),
        }
    }

    pub async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, SqlxError> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Postgres(on) => (&mut **on).execute(sql).await.map(Into::into),
            Self::Sqlite(on) => (&mut **on).execute(sql).await.map(Into::into),
        }
    }

    pub async fn query_one(
        &mut self,
        statement: &Statement,
    ) -> Result<Option<QueryResult>, SqlxError> {
        match self {
            Self::Postgres(on) => {
                Ok(query(statement).fetch_optional(&mut **on).await?.map(Into::into))
            }
            Self::Sqlite(on) => {
                Ok(query(statement).fetch_optional(&mut **on).await?.map(Into::into))
            }
        }
    }

    pub async fn query_all(
        &mut self,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, SqlxError> {
        match self {
            Self::Postgres(on) => {
                let rows = query(statement).fetch_all(&mut **on).await?;
                Ok(rows.into_iter().map(Into::into).collect())
            }
            Self::Sqlite(on) => {
                let rows = query(statement).fetch_all(&mut **on).await?;
                Ok(rows.into_iter().map(Into::into).collect())
            }
        }
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

fn query<DB>(statement: &Statement) -> Query<'_, DB, SqlxValues>
where
    DB: Database,
    SqlxValues: IntoArguments<DB>,
{
    let values = statement.values.clone().unwrap_or(Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}
