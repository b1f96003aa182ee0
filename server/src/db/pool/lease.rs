//! A connection in use, and its return to the pool.

use std::{
    error::Error,
    future::Future,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use sea_orm::{
    DbBackend, ExecResult, QueryResult, SqlxError, Statement, sqlx::sqlite::SqliteConnection,
};
use shared::error::causes;
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit, time::timeout};

use super::{CHECK_INTERVAL, IdleConnection, Inner, age::is_over, log_in_transaction, name};
use crate::db::{
    connection::Connection,
    error_code::{is_lost, is_read_only},
    transaction::SERVER_TIMEOUT,
};

/// The time limit to begin a transaction, which waits for nothing but a pooler. A slower server is
/// gone, and the call has the time to begin on another one.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection in use, returned to its pool when dropped.
pub struct Lease {
    pool: Arc<Inner>,
    connection: Option<Connection>,
    /// The end of its lifetime.
    end: Option<Instant>,
    state: State,
    permit: Option<OwnedSemaphorePermit>,
}

/// The state of a connection in use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The last statement succeeded, if there was one.
    Ready,
    /// A statement is in progress, or was interrupted.
    Busy,
    /// The last statement failed.
    Uncertain,
    /// A statement failed without a response of the database, or because the server is read-only.
    Broken,
}

impl Lease {
    pub(super) fn new(
        pool: Arc<Inner>,
        connection: Connection,
        end: Option<Instant>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let (connection, permit) = (Some(connection), Some(permit));
        Self { pool, connection, end, state: State::Ready, permit }
    }

    /// The kind of database.
    pub fn backend(&self) -> DbBackend {
        self.pool.connector.backend()
    }

    /// Sends `begin`, and fails where a transaction is open already.
    pub async fn begin(&mut self, begin: &'static str) -> Result<(), SqlxError> {
        let connection = self.enter()?;
        let limit = if connection.is_pooled() { SERVER_TIMEOUT } else { BEGIN_TIMEOUT };
        let done = in_time(connection.backend(), limit, connection.begin(begin)).await;
        self.leave(done)
    }

    /// Commits the transaction.
    pub async fn commit(&mut self) -> Result<(), SqlxError> {
        let committed = in_time(self.backend(), SERVER_TIMEOUT, self.enter()?.commit()).await;
        self.leave(committed)
    }

    /// Rolls the transaction back.
    pub async fn rollback(&mut self) -> Result<(), SqlxError> {
        let rolled_back = in_time(self.backend(), SERVER_TIMEOUT, self.enter()?.rollback()).await;
        self.leave(rolled_back)
    }

    pub async fn execute(&mut self, statement: Statement) -> Result<ExecResult, SqlxError> {
        let done = in_time(self.backend(), SERVER_TIMEOUT, self.enter()?.execute(statement)).await;
        self.leave(done)
    }

    pub async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, SqlxError> {
        let done =
            in_time(self.backend(), SERVER_TIMEOUT, self.enter()?.execute_unprepared(sql)).await;
        self.leave(done)
    }

    pub async fn query_one(
        &mut self,
        statement: Statement,
    ) -> Result<Option<QueryResult>, SqlxError> {
        let found =
            in_time(self.backend(), SERVER_TIMEOUT, self.enter()?.query_one(statement)).await;
        self.leave(found)
    }

    pub async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, SqlxError> {
        let found =
            in_time(self.backend(), SERVER_TIMEOUT, self.enter()?.query_all(statement)).await;
        self.leave(found)
    }

    /// Whether this is a connection to a read-only server.
    pub async fn is_read_only_server(&mut self) -> Result<bool, SqlxError> {
        let is_read_only = self.enter()?.is_read_only_server().await;
        self.leave(is_read_only)
    }

    /// The driver's connection to SQLite, to inject faults into.
    pub fn as_sqlite_mut(&mut self) -> Option<&mut SqliteConnection> {
        match &mut self.connection {
            Some(Connection::Sqlite(connection)) => Some(connection),
            _ => None,
        }
    }

    /// Closes the connection instead of returning it, after `error` from `what`. The database then
    /// rolls back what was not committed.
    pub fn close_after(self, what: &str, error: &dyn Error) {
        let database = name(self.backend());
        tracing::warn!(database, after = what, error = %causes(error), "a connection in an unknown state is closed");
        self.close();
    }

    /// Closes the connection instead of returning it.
    pub fn close(mut self) {
        self.state = State::Broken;
    }

    fn enter(&mut self) -> Result<&mut Connection, SqlxError> {
        if self.state != State::Broken {
            self.state = State::Busy;
        }
        self.connection.as_mut().ok_or(SqlxError::PoolClosed)
    }

    fn leave<T>(&mut self, result: Result<T, SqlxError>) -> Result<T, SqlxError> {
        self.state = match &result {
            _ if self.state == State::Broken => State::Broken,
            Ok(_) => State::Ready,
            Err(error) if is_lost(error) => {
                self.pool.idle().broke = Some(Instant::now());
                State::Broken
            }
            // One connection to a read-only server suggests that all are.
            Err(error) if is_read_only(error) => {
                self.pool.close_idle();
                State::Broken
            }
            Err(_) => State::Uncertain,
        };
        result
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let (pool, end, permit) = (self.pool.clone(), self.end, self.permit.take());
        if self.state == State::Busy {
            // The caller had to wait too long, perhaps as the server is gone.
            pool.idle().broke = Some(Instant::now());
        }
        let is_in_transaction = connection.is_in_transaction();
        let is_aged = is_over(end);
        if self.state == State::Ready && !is_in_transaction && !is_aged && !pool.is_time_to_check()
        {
            pool.give_back(connection, end);
            return;
        }
        // Without a runtime the process is ending, and the connection with it.
        let Ok(runtime) = Handle::try_current() else { return };
        let mut is_wanted = self.state != State::Broken && !is_aged;
        if is_wanted && self.state == State::Ready && is_in_transaction {
            log_in_transaction(connection.backend(), "given back");
            is_wanted = false;
        }
        // Behind a pooler a statement has a transaction of its own, which stays if the statement
        // was cancelled.
        let may_be_in_own =
            connection.is_pooled() && matches!(self.state, State::Busy | State::Uncertain);
        let when = (!may_be_in_own).then_some("given back");
        runtime.spawn(async move {
            // The connection is its user's until then, so that the pool does not exceed its size.
            let _permit = permit;
            if is_wanted && pool.is_usable(&mut connection, SERVER_TIMEOUT, when).await {
                connection.shrink_buffers();
                pool.give_back(connection, end);
            } else {
                let _ = timeout(SERVER_TIMEOUT, connection.close()).await;
            }
        });
    }
}

/// A time limit for servers, which may vanish without a response; SQLite always responds.
async fn in_time<T>(
    backend: DbBackend,
    limit: Duration,
    work: impl Future<Output = Result<T, SqlxError>>,
) -> Result<T, SqlxError> {
    if backend != DbBackend::Postgres {
        return work.await;
    }
    let response = timeout(limit, work).await;
    response.unwrap_or_else(|_| Err(SqlxError::Io(io::ErrorKind::TimedOut.into())))
}

impl Inner {
    fn give_back(&self, connection: Connection, end: Option<Instant>) {
        let since = Instant::now();
        self.idle().all.push(IdleConnection { connection, end, since });
    }

    /// Closes the idle connections.
    pub(super) fn close_idle(&self) {
        for IdleConnection { connection, .. } in std::mem::take(&mut self.idle().all) {
            tokio::spawn(connection.close());
        }
    }

    /// Whether the database is to be queried about a returned connection.
    fn is_time_to_check(&self) -> bool {
        let mut idle = self.idle();
        let is_time = idle.last_check.is_none_or(|last| last.elapsed() >= CHECK_INTERVAL);
        if is_time {
            idle.last_check = Some(Instant::now());
        }
        is_time
    }
}
