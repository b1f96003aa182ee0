//! Group commit: SQLite's writers, who take turns, share a transaction and its commit.
//!
//! A commit costs a sync of the disk, however much it commits. So the first writer whose change is
//! complete lets others write while some wait, and then commits for all of them. None is
//! acknowledged before. A change that fails is undone alone, to its savepoint; if the transaction
//! itself fails, all of its changes have failed.
//!
//! A change reads what those before it have written. So one that is rolled back waits for the commit
//! as well: an answer never rests on something that may yet be undone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard, oneshot},
    time::timeout,
};

use super::{
    run_to_completion,
    savepoint::{self, Start},
};
use crate::db::{
    TIMEOUT,
    pool::{Lease, Pool, query_error},
};

const BEGIN: &str = "BEGIN IMMEDIATE";

/// The most changes of one commit.
const MAX_CHANGES: usize = 64;

/// The age of a transaction at which it is committed, however many wait.
const MAX_AGE: Duration = Duration::from_millis(20);

/// How often a writer lets other tasks run before a commit for which none waits.
const YIELDS: usize = 4;

/// The writers of a file.
#[derive(Clone, Default)]
pub struct WriterQueue {
    /// Locked in the order of arrival.
    group: Arc<Mutex<Group>>,
    waiting: Arc<AtomicUsize>,
}

/// The transaction that writers share.
#[derive(Default)]
struct Group {
    /// The connection, while a transaction is open.
    connection: Option<Lease>,
    begun: Option<Instant>,
    /// The number of savepoints of complete changes.
    savepoints: usize,
    /// The complete changes that wait for the commit.
    complete: Vec<oneshot::Sender<Result<(), DbErr>>>,
}

/// The turn of a writer. Dropped before its end, its change is undone: its caller may be gone.
pub struct Turn {
    queue: WriterQueue,
    /// None at its end.
    group: Option<OwnedMutexGuard<Group>>,
    start: Start,
    /// Whether the caller is gone.
    is_dropped: bool,
}

impl WriterQueue {
    /// Waits for a turn, which can be cancelled, and begins a change.
    pub async fn begin(&self, pool: &Pool) -> Result<Turn, DbErr> {
        let mut group = self.lock().await?;
        if group.connection.is_none() {
            let mut connection = pool.acquire().await?;
            let queue = self.clone();
            return run_to_completion(async move {
                connection.begin(BEGIN).await.map_err(query_error)?;
                (group.connection, group.begun) = (Some(connection), Some(Instant::now()));
                group.savepoints = 0;
                let (group, start) = (Some(group), Start::Transaction);
                Ok(Turn { queue, group, start, is_dropped: false })
            })
            .await;
        }
        let (queue, group) = (self.clone(), Some(group));
        Ok(Turn { queue, group, start: Start::Unsent, is_dropped: false })
    }

    /// Commits after those who wait have had their turn.
    async fn commit_in_turn(self) {
        loop {
            let group = self.group.clone().lock_owned().await;
            // Another writer may have committed, or failed.
            if group.complete.is_empty() {
                return;
            }
            if group.is_full() || !self.is_wanted() {
                let _ = commit(group).await;
                return;
            }
        }
    }

    /// Whether writers wait for a turn.
    fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    async fn lock(&self) -> Result<OwnedMutexGuard<Group>, DbErr> {
        if let Ok(group) = self.group.clone().try_lock_owned() {
            return Ok(group);
        }
        let _waiting = Waiting::new(&self.waiting);
        let group = timeout(TIMEOUT, self.group.clone().lock_owned()).await;
        group.map_err(|_elapsed| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
    }
}

impl Group {
    fn is_full(&self) -> bool {
        let is_old = self.begun.is_none_or(|begun| begun.elapsed() >= MAX_AGE);
        is_old || self.complete.len() >= MAX_CHANGES
    }
}

impl Turn {
    /// The connection for the next statement, which is `query` if that returns rows: a savepoint
    /// can be sent in front of it. Of others the driver would count the rows of both.
    pub async fn connection(&mut self, query: Option<&mut String>) -> Result<&mut Lease, DbErr> {
        if self.start == Start::Unsent {
            let [begin, _] = savepoint::within(self.group()?.savepoints);
            // From here on it may be there: the caller can be cancelled.
            self.start = Start::Savepoint;
            match query {
                Some(query) => *query = format!("{begin}; {query}"),
                None => self.execute(begin).await?,
            }
        }
        self.lease()
    }

    fn group(&mut self) -> Result<&mut Group, DbErr> {
        self.group.as_deref_mut().ok_or_else(unavailable)
    }

    fn lease(&mut self) -> Result<&mut Lease, DbErr> {
        self.group()?.connection.as_mut().ok_or_else(unavailable)
    }

    /// Runs a statement without which the transaction has failed.
    async fn execute(&mut self, sql: &'static str) -> Result<(), DbErr> {
        let done = self.lease()?.execute_unprepared(sql).await;
        done.map(drop).map_err(|error| {
            let error = query_error(error);
            self.fail(&error);
            error
        })
    }

    /// Commits, together with the changes of those who wait. Drops `guard` before: who waits for
    /// the guard may be part of the same commit. The commit itself cannot be cancelled.
    pub async fn commit(mut self, guard: impl Send) -> Result<(), DbErr> {
        drop(guard);
        // Who waited for the guard, or whose request has just arrived, comes to wait for a turn.
        for _ in 0..YIELDS {
            if self.queue.is_wanted() {
                break;
            }
            tokio::task::yield_now().await;
        }
        if !self.queue.is_wanted() {
            let group = self.group.take().ok_or_else(unavailable)?;
            return run_to_completion(commit(group)).await;
        }
        if self.start == Start::Savepoint {
            let group = self.group()?;
            group.savepoints = (group.savepoints + 1) % savepoint::MAX;
            if group.savepoints == 0 {
                return run_to_completion(async move {
                    self.execute(savepoint::RELEASE_ALL).await?;
                    self.committed().await
                })
                .await;
            }
        }
        self.committed().await
    }

    /// Waits for the commit of the transaction, which the first who waits for it begins.
    async fn committed(mut self) -> Result<(), DbErr> {
        let mut group = self.group.take().ok_or_else(unavailable)?;
        let (sender, committed) = oneshot::channel();
        group.complete.push(sender);
        if group.complete.len() == 1 {
            tokio::spawn(self.queue.clone().commit_in_turn());
        }
        drop(group);
        committed.await.unwrap_or_else(|_| Err(unavailable()))
    }

    /// Undoes the change alone. An error: what it has read is not there.
    pub async fn roll_back(mut self) -> Result<(), DbErr> {
        match self.start {
            Start::Unsent => self.group = None,
            Start::Savepoint => {
                let [_, undo] = savepoint::within(self.group()?.savepoints);
                self.execute(undo).await?;
                return self.committed().await;
            }
            // No other change is part of it.
            Start::Transaction => match self.lease()?.rollback().await {
                Ok(()) => {
                    if let Some(mut group) = self.group.take() {
                        group.connection = None;
                    }
                }
                Err(error) => self.fail(&query_error(error)),
            },
        }
        Ok(())
    }

    /// Ends the transaction, which has failed, with all of its changes.
    pub fn fail(&mut self, error: &DbErr) {
        let Some(mut group) = self.group.take() else { return };
        if let Some(connection) = group.connection.take() {
            connection.close_after("a statement", error);
        }
        for change in group.complete.drain(..) {
            let _ = change.send(Err(error.clone()));
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        match Handle::try_current() {
            Ok(runtime) if self.group.is_some() && !self.is_dropped => {
                let (queue, group) = (self.queue.clone(), self.group.take());
                let turn = Self { queue, group, start: self.start, is_dropped: true };
                runtime.spawn(turn.roll_back());
            }
            // A runtime that is ending drops what is spawned, and so comes here.
            _ => self.fail(&unavailable()),
        }
    }
}

/// Commits all changes of a transaction.
async fn commit(mut group: OwnedMutexGuard<Group>) -> Result<(), DbErr> {
    let Some(mut connection) = group.connection.take() else { return Err(unavailable()) };
    let committed = match connection.commit().await {
        Ok(()) => Ok(()),
        Err(error) => {
            let error = query_error(error);
            connection.close_after("COMMIT", &error);
            Err(error)
        }
    };
    for change in group.complete.drain(..) {
        let _ = change.send(committed.clone());
    }
    committed
}

/// The error of a transaction that is no longer open.
fn unavailable() -> DbErr {
    DbErr::Conn(RuntimeErr::Internal("the transaction has failed".to_owned()))
}

/// A writer that waits.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn new(waiting: &Arc<AtomicUsize>) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "group_commit_tests.rs"]
mod tests;
