//! Transactions, and the only way to begin one.
//!
//! A call can end at any time: its client disconnects, or its deadline passes. The driver counts
//! a transaction only once its `BEGIN` has a response, so a call that ended in between would
//! return its connection with a transaction open, and the writes of the next call on it would be
//! acknowledged and lost. So the beginning and the end of a transaction cannot be cancelled: they
//! run to completion in a task of their own.

mod group_commit;
mod savepoint;

use std::{future::Future, time::Duration};

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, SqlxError, Statement,
    prelude::async_trait::async_trait,
};
use tokio::{runtime::Handle, sync::Mutex};

use self::group_commit::Turn;
pub use self::group_commit::WriterQueue;
use super::{
    Database, TIMEOUT,
    connection::is_in_doubt,
    error_code::{driver_error, is_lost},
    pool::{Lease, Pool, execution_error, query_error},
};
use crate::client_info::ClientInfo;

/// What begins the transaction of a single statement, behind a pooler.
pub(super) const BEGIN_STATEMENT: &str = "BEGIN";

/// The time limit for the response to a statement. A server ends a statement sooner by itself, so a
/// slower one is gone.
pub(super) const SERVER_TIMEOUT: Duration = TIMEOUT.saturating_mul(2);

/// An open transaction. Dropped without [`Transaction::commit`], it is rolled back.
///
/// After a failed statement, all others and the commit are refused.
pub struct Transaction {
    backend: DbBackend,
    work: Mutex<Option<Work>>,
}

struct Work {
    connection: Connection,
    progress: Progress,
}

/// The connection of a transaction.
enum Connection {
    Own(Lease),
    /// Of SQLite's writers, who take turns.
    Shared(Turn),
}

/// The progress of a transaction.
enum Progress {
    /// All statements succeeded.
    Healthy,
    /// A statement failed or was cancelled; a rollback undoes the rest.
    Failed,
    /// A statement failed so that the connection itself cannot be trusted.
    InDoubt(DbErr),
}

impl Database {
    /// Begins a transaction that may read and write. On SQLite it holds the write lock from the
    /// start: a read that becomes a write later fails if another connection wrote in between.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        if self.backend() != DbBackend::Postgres {
            let turn = self.writers.begin(&self.writer).await?;
            return Ok(Transaction::new(self.backend(), Connection::Shared(turn)));
        }
        // The server refuses this after the first statement of a transaction.
        Transaction::begin(&self.writer, "BEGIN NOT DEFERRABLE").await
    }

    /// Begins a read-only snapshot of the database. On SQLite it ends as all [scans](Self::scans)
    /// do.
    pub async fn begin_snapshot(&self) -> Result<Transaction, DbErr> {
        let begin = match self.backend() {
            DbBackend::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY NOT DEFERRABLE",
            _ => "BEGIN DEFERRED",
        };
        Transaction::begin(&self.scans, begin).await
    }
}

impl Transaction {
    fn new(backend: DbBackend, connection: Connection) -> Self {
        let work = Work { connection, progress: Progress::Healthy };
        Self { backend, work: Mutex::new(Some(work)) }
    }

    /// Waiting for a connection can be cancelled, so that ended calls do not queue. A connection that
    /// was lost before the beginning has done nothing, so another one may begin.
    async fn begin(on: &Pool, begin: &'static str) -> Result<Self, DbErr> {
        match Self::begin_on(on.acquire().await?, begin).await {
            Err(error) if driver_error(&error).is_some_and(is_lost) => {
                Self::begin_on(on.acquire_new().await?, begin).await
            }
            done => done,
        }
    }

    async fn begin_on(mut connection: Lease, begin: &'static str) -> Result<Self, DbErr> {
        let backend = connection.backend();
        run_to_completion(async move {
            match connection.begin(begin).await {
                Ok(()) => Ok(Self::new(backend, Connection::Own(connection))),
                Err(error) => {
                    if backend == DbBackend::Postgres || is_in_doubt(&error) {
                        connection.close_after("BEGIN", &error);
                    }
                    Err(query_error(error))
                }
            }
        })
        .await
    }

    /// The kind of database.
    pub fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Commits. After an error the outcome is unknown, except that nothing is committed after a
    /// failed statement.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.commit_with(()).await
    }

    /// Commits a change whose owner's other changes wait for `guard`. Dropped as soon as they may
    /// begin: on SQLite that is before the commit, which they share.
    pub async fn commit_with(self, guard: impl Send + 'static) -> Result<(), DbErr> {
        let Some(Work { connection, progress }) = self.take() else {
            return Err(failed_transaction());
        };
        let connection = match connection {
            Connection::Shared(turn) if matches!(progress, Progress::Healthy) => {
                return turn.commit(guard).await;
            }
            other => other,
        };
        run_to_completion(async move {
            let _guard = guard;
            match connection {
                Connection::Own(mut own) if matches!(progress, Progress::Healthy) => {
                    own.commit().await.map_err(|error| {
                        own.close_after("COMMIT", &error);
                        query_error(error)
                    })
                }
                failed => {
                    roll_back(failed, progress).await?;
                    Err(failed_transaction())
                }
            }
        })
        .await
    }

    /// Rolls back, before it returns. A connection that fails to is closed, which has the same
    /// effect. An error: what the transaction has read may not be there.
    ///
    /// Needed wherever an answer rests on what it has read: dropped, it is rolled back later.
    pub async fn rollback(self) -> Result<(), DbErr> {
        let Some(Work { connection, progress }) = self.take() else { return Ok(()) };
        run_to_completion(roll_back(connection, progress)).await
    }

    fn take(mut self) -> Option<Work> {
        self.work.get_mut().take()
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(Work { connection, progress }) = self.work.get_mut().take()
            && let Ok(runtime) = Handle::try_current()
        {
            let undoing = roll_back(connection, progress);
            runtime.spawn(ClientInfo::kept_in(undoing));
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
        let done = work.lease(None).await?.execute(statement).await;
        work.track(done, execution_error)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut work = self.work.lock().await;
        let work = next(&mut work)?;
        let done = work.lease(None).await?.execute_unprepared(sql).await;
        work.track(done, execution_error)
    }

    async fn query_one_raw(&self, mut statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut work = self.work.lock().await;
        let work = next(&mut work)?;
        let found = work.lease(Some(&mut statement.sql)).await?.query_one(statement).await;
        work.track(found, query_error)
    }

    async fn query_all_raw(&self, mut statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut work = self.work.lock().await;
        let work = next(&mut work)?;
        let found = work.lease(Some(&mut statement.sql)).await?.query_all(statement).await;
        work.track(found, query_error)
    }
}

impl Work {
    /// The connection for the next statement, which is `query` if that returns rows.
    async fn lease(&mut self, query: Option<&mut String>) -> Result<&mut Lease, DbErr> {
        match &mut self.connection {
            Connection::Own(own) => Ok(own),
            Connection::Shared(turn) => turn.connection(query).await,
        }
    }

    fn track<T>(
        &mut self,
        result: Result<T, SqlxError>,
        to_db_error: impl FnOnce(SqlxError) -> DbErr,
    ) -> Result<T, DbErr> {
        match result {
            Ok(value) => {
                self.progress = Progress::Healthy;
                Ok(value)
            }
            Err(error) => {
                let is_in_doubt = is_in_doubt(&error);
                let error = to_db_error(error);
                if is_in_doubt {
                    self.progress = Progress::InDoubt(error.clone());
                }
                Err(error)
            }
        }
    }
}

/// Begins the next statement. It counts as failed until its response, because the caller can be
/// cancelled before.
fn next(work: &mut Option<Work>) -> Result<&mut Work, DbErr> {
    let work = work.as_mut().filter(|work| matches!(work.progress, Progress::Healthy));
    let work = work.ok_or_else(failed_transaction)?;
    work.progress = Progress::Failed;
    Ok(work)
}

/// Rolls back, or closes the connection where that fails or would not be enough.
async fn roll_back(connection: Connection, progress: Progress) -> Result<(), DbErr> {
    match (connection, progress) {
        (Connection::Shared(turn), Progress::Healthy | Progress::Failed) => {
            return turn.roll_back().await;
        }
        (Connection::Own(own), Progress::InDoubt(error)) => own.close_after("a statement", &error),
        (Connection::Own(mut own), _) => {
            if let Err(error) = own.rollback().await {
                own.close_after("ROLLBACK", &error);
            }
        }
        (Connection::Shared(mut turn), Progress::InDoubt(error)) => turn.fail(&error),
    }
    Ok(())
}

/// Runs `work` to completion, even if the caller is cancelled.
pub(super) async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = Result<T, DbErr>> + Send + 'static,
) -> Result<T, DbErr> {
    let done = tokio::spawn(ClientInfo::kept_in(work)).await;
    done.unwrap_or_else(|error| Err(DbErr::Conn(RuntimeErr::Internal(error.to_string()))))
}

fn failed_transaction() -> DbErr {
    DbErr::Exec(RuntimeErr::Internal("a statement of this transaction has failed".to_owned()))
}
