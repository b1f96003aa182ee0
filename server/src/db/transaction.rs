//! Transactions, and the only way to begin one.
//!
//! A call can end at any moment: whoever made it hangs up, or its time is over. The driver
//! counts a transaction only once its `BEGIN` is answered, so a call that ended in between
//! would give its connection back with a transaction open, and what the next call writes on
//! it would be answered and lost. So nothing here that begins or ends a transaction can be
//! cut off: it runs to its end in a task of its own.

mod connection;

use std::{future::Future, io, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    SqlxError, Statement, prelude::async_trait::async_trait,
};
use tokio::{runtime::Handle, sync::Mutex};
use tracing::Instrument;

use self::connection::Connection;
use super::{Database, PATIENCE};

/// How long a server may take to begin or to end a transaction. It ends a statement sooner
/// by itself, so one that takes longer is not there any more.
const SERVER_PATIENCE: Duration = PATIENCE.saturating_mul(2);

/// A transaction that is open. Dropped without [`Transaction::commit`], it is rolled back.
///
/// Once a statement has failed, all others and the commit are refused.
pub struct Transaction {
    backend: DbBackend,
    work: Mutex<Option<Work>>,
}

struct Work {
    connection: Connection,
    so_far: SoFar,
}

/// How the statements of a transaction went.
enum SoFar {
    /// All are answered, none failed.
    Sound,
    /// One failed or was cut off; a rollback undoes the rest.
    Failed,
    /// One failed in a way after which the connection itself cannot be trusted.
    InDoubt(SqlxError),
}

impl Database {
    /// Begins a transaction that may read and write. On SQLite it holds the write lock
    /// from the start: a read that turns into a write later fails at once when somebody
    /// else wrote in between.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        let begin = match self.backend() {
            // The server refuses these words where a transaction has done something already.
            DbBackend::Postgres => "BEGIN NOT DEFERRABLE",
            _ => "BEGIN IMMEDIATE",
        };
        Transaction::begin(&self.writer, begin).await
    }

    /// Begins a transaction that only reads, all of it one state of the database. On SQLite it
    /// ends as all [scans](Self::scans) do.
    pub async fn begin_snapshot(&self) -> Result<Transaction, DbErr> {
        let begin = match self.backend() {
            DbBackend::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY NOT DEFERRABLE",
            _ => "BEGIN DEFERRED",
        };
        Transaction::begin(&self.scans, begin).await
    }
}

impl Transaction {
    /// Waiting for a connection can be cut off, so that calls that have ended do not queue.
    async fn begin(on: &DatabaseConnection, begin: &'static str) -> Result<Self, DbErr> {
        let backend = on.get_database_backend();
        let mut connection = Connection::acquire(on).await?;
        to_its_end(async move {
            match in_time(backend, connection.begin(begin)).await {
                Ok(()) => {
                    let work = Work { connection, so_far: SoFar::Sound };
                    Ok(Self { backend, work: Mutex::new(Some(work)) })
                }
                Err(error) => {
                    if backend == DbBackend::Postgres || connection::is_in_doubt(&error) {
                        connection.close("BEGIN", &error);
                    }
                    Err(not_answered(error))
                }
            }
        })
        .await
    }

    /// What kind of database it is in.
    pub fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Makes everything last. After an error it is not known whether it does, except that
    /// nothing does where a statement had failed before.
    pub async fn commit(self) -> Result<(), DbErr> {
        let backend = self.backend;
        let Some(Work { mut connection, so_far }) = self.take() else { return Err(refused()) };
        to_its_end(async move {
            if !matches!(so_far, SoFar::Sound) {
                undo(backend, connection, so_far).await;
                return Err(refused());
            }
            in_time(backend, connection.commit()).await.map_err(|error| {
                connection.close("COMMIT", &error);
                not_answered(error)
            })
        })
        .await
    }

    /// Undoes everything, before it returns. A connection that fails at it is closed, which
    /// has the same effect.
    pub async fn rollback(self) {
        let backend = self.backend;
        if let Some(Work { connection, so_far }) = self.take() {
            let undone = to_its_end(async move {
                undo(backend, connection, so_far).await;
                Ok(())
            });
            // An error: the process is ending, and the connection with it.
            let _ = undone.await;
        }
    }

    fn take(mut self) -> Option<Work> {
        self.work.get_mut().take()
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(Work { connection, so_far }) = self.work.get_mut().take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(undo(self.backend, connection, so_far).in_current_span());
        }
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut work = self.work.lock().await;
        let work = next(&mut work)?;
        let done = work.connection.execute(&statement).await;
        work.note(done, not_executed)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut work = self.work.lock().await;
        let work = next(&mut work)?;
        let done = work.connection.execute_unprepared(sql).await;
        work.note(done, not_executed)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut work = self.work.lock().await;
        let work = next(&mut work)?;
        let found = work.connection.query_one(&statement).await;
        work.note(found, not_answered)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut work = self.work.lock().await;
        let work = next(&mut work)?;
        let found = work.connection.query_all(&statement).await;
        work.note(found, not_answered)
    }
}

impl Work {
    fn note<T>(
        &mut self,
        result: Result<T, SqlxError>,
        told: impl FnOnce(SqlxError) -> DbErr,
    ) -> Result<T, DbErr> {
        match result {
            Ok(value) => {
                self.so_far = SoFar::Sound;
                Ok(value)
            }
            Err(error) => {
                if connection::is_in_doubt(&error) {
                    self.so_far = SoFar::InDoubt(SqlxError::Protocol(error.to_string()));
                }
                Err(told(error))
            }
        }
    }
}

/// Lets the next statement begin. Until it is answered it counts as failed, because its
/// caller can be gone before.
fn next(work: &mut Option<Work>) -> Result<&mut Work, DbErr> {
    let work = work.as_mut().filter(|work| matches!(work.so_far, SoFar::Sound));
    let work = work.ok_or_else(refused)?;
    work.so_far = SoFar::Failed;
    Ok(work)
}

/// Rolls back, or closes the connection where that fails or would not be enough.
async fn undo(backend: DbBackend, mut connection: Connection, so_far: SoFar) {
    if let SoFar::InDoubt(error) = so_far {
        connection.close("a statement", &error);
    } else if let Err(error) = in_time(backend, connection.rollback()).await {
        connection.close("ROLLBACK", &error);
    }
}

/// Runs `work` to its end, whatever becomes of the caller.
pub(super) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
) -> Result<T, DbErr> {
    let done = tokio::spawn(work.in_current_span()).await;
    done.unwrap_or_else(|error| Err(DbErr::Conn(RuntimeErr::Internal(error.to_string()))))
}

/// A server that is gone without a word never answers; SQLite always does.
async fn in_time<T>(
    backend: DbBackend,
    work: impl Future<Output = Result<T, SqlxError>>,
) -> Result<T, SqlxError> {
    if backend != DbBackend::Postgres {
        return work.await;
    }
    let answered = tokio::time::timeout(SERVER_PATIENCE, work).await;
    answered.unwrap_or_else(|_| Err(SqlxError::Io(io::ErrorKind::TimedOut.into())))
}

fn not_executed(error: SqlxError) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

fn not_answered(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}

fn refused() -> DbErr {
    DbErr::Exec(RuntimeErr::Internal("a statement of this transaction has failed".to_owned()))
}
