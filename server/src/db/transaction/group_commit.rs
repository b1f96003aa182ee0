//! Group commit: SQLite's writers, who take turns, share a transaction and its commit.
//!
//! A commit costs a sync of the disk, however much it commits. So a writer whose change is complete
//! lets those write first who wait already, and then commits for all of them. None is acknowledged
//! before. A change that fails is undone alone, to its savepoint; if the transaction itself fails,
//! all of its changes have failed.
//!
//! A change reads what those before it have written. So one that is rolled back waits for the commit
//! as well: an answer never rests on something that may yet be undone.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard, oneshot},
    time::timeout,
};

use super::run_to_completion;
use crate::db::{
    TIMEOUT,
    pool::{Lease, Pool, query_error},
};

const BEGIN: &str = "BEGIN IMMEDIATE";
const SAVEPOINT: &str = "SAVEPOINT change";
const RELEASE: &str = "RELEASE change";
const UNDO: &str = "ROLLBACK TO change; RELEASE change";

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
    /// The complete changes that wait for the commit.
    complete: Vec<oneshot::Sender<Result<(), DbErr>>>,
}

/// The turn of a writer. Dropped before its end, its change is undone: its caller may be gone.
pub struct Turn {
    queue: WriterQueue,
    /// None at its end.
    group: Option<OwnedMutexGuard<Group>>,
    is_first: bool,
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
                group.connection = Some(connection);
                Ok(Turn { queue, group: Some(group), is_first: true, is_dropped: false })
            })
            .await;
        }
        let queue = self.clone();
        let mut turn = Turn { queue, group: Some(group), is_first: false, is_dropped: false };
        run_to_completion(async move { turn.execute(SAVEPOINT).await.map(|()| turn) }).await
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

impl Turn {
    /// The connection, within the shared transaction.
    pub fn connection(&mut self) -> Result<&mut Lease, DbErr> {
        let group = self.group.as_mut().ok_or_else(unavailable)?;
        group.connection.as_mut().ok_or_else(unavailable)
    }

    /// Runs a statement without which the transaction has failed.
    async fn execute(&mut self, sql: &'static str) -> Result<(), DbErr> {
        let done = self.connection()?.execute_unprepared(sql).await;
        done.map(drop).map_err(|error| {
            let error = query_error(error);
            self.fail(&error);
            error
        })
    }

    /// Commits, after those who wait already have had their turn.
    pub async fn commit(mut self) -> Result<(), DbErr> {
        if self.queue.waiting.load(Ordering::Relaxed) == 0 {
            return commit(self.group.take().ok_or_else(unavailable)?).await;
        }
        if !self.is_first {
            self.execute(RELEASE).await?;
        }
        self.committed().await
    }

    /// Waits for the commit of the transaction, after those who wait already have had their turn.
    async fn committed(mut self) -> Result<(), DbErr> {
        let mut group = self.group.take().ok_or_else(unavailable)?;
        let (sender, mut committed) = oneshot::channel();
        group.complete.push(sender);
        drop(group);
        tokio::select! {
            biased;
            outcome = &mut committed => outcome.unwrap_or_else(|_| Err(unavailable())),
            group = self.queue.group.clone().lock_owned() => match committed.try_recv() {
                Ok(outcome) => outcome,
                Err(_) => commit(group).await,
            },
        }
    }

    /// Undoes the change alone. An error: what it has read is not there.
    pub async fn roll_back(mut self) -> Result<(), DbErr> {
        if !self.is_first {
            self.execute(UNDO).await?;
            return self.committed().await;
        }
        // No other change is part of it.
        match self.connection()?.rollback().await {
            Ok(()) => {
                if let Some(mut group) = self.group.take() {
                    group.connection = None;
                }
            }
            Err(error) => self.fail(&query_error(error)),
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
                let turn = Self { queue, group, is_first: self.is_first, is_dropped: true };
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
