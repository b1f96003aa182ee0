//! A pool of connections under the ORM's `ConnectionTrait`.
//!
//! The driver's own pool costs every statement a task and a round trip: it asks each connection
//! that is returned whether it is still alive. Here a connection is checked only if something
//! speaks against it: a statement that failed or was interrupted, a long idle time, or another
//! connection that broke.

mod lease;
mod statements;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sea_orm::{ConnAcquireErr, DbBackend, DbErr, SqlxError};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

pub use self::{
    lease::Lease,
    statements::{execution_error, query_error},
};
use super::{
    TIMEOUT,
    connection::Connection,
    connector::{Connector, connection_error, is_worth_a_retry},
    in_place::InPlaceReader,
};

/// The idle time after which a connection is checked before its next use.
const IDLE: Duration = Duration::from_secs(10);

/// The period at which the database is queried about a returned connection: whether it is in a
/// transaction. The driver's own count, which costs nothing, is checked each time.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The time limit of a check: a server that vanished does not respond.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// The shortest time between two attempts to connect; it doubles.
const BACKOFF: Duration = Duration::from_millis(10);

/// The ages at which connections are closed.
#[derive(Clone, Copy)]
pub struct MaxAge {
    pub lifetime: Duration,
    pub idle: Duration,
}

impl MaxAge {
    /// The end of a connection that opens now: up to a tenth before its age, so that those that
    /// opened together are not closed together.
    fn end(self) -> Instant {
        let part = u32::try_from(RandomState::new().hash_one(()) % 1000).unwrap_or_default();
        Instant::now() + self.lifetime / 10_000 * (10_000 - part)
    }
}

/// A pool of connections. The callers get them in the order in which they asked, or an error after
/// four seconds.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
    in_place: Option<InPlaceReader>,
    /// Whether queries are repeated whose connection was lost.
    repeats_queries: bool,
}

struct Inner {
    connector: Connector,
    size: u32,
    max_age: Option<MaxAge>,
    permits: Arc<Semaphore>,
    idle: Mutex<IdleConnections>,
}

/// The idle connections, the one used last at the end.
#[derive(Default)]
struct IdleConnections {
    all: Vec<IdleConnection>,
    /// The time when a connection broke. Connections idle since before are checked.
    broke: Option<Instant>,
    /// The time of the last query about a returned connection.
    last_check: Option<Instant>,
}

struct IdleConnection {
    connection: Connection,
    /// The end of its lifetime.
    end: Option<Instant>,
    since: Instant,
}

impl Pool {
    /// A pool of at most `size` connections, the first of which is opened at once.
    pub async fn connect(
        connector: Connector,
        size: u32,
        max_age: Option<MaxAge>,
    ) -> Result<Self, DbErr> {
        let inner = Inner {
            connector,
            size,
            max_age,
            permits: Arc::new(Semaphore::new(size as usize)),
            idle: Mutex::default(),
        };
        let pool = Self { inner: Arc::new(inner), in_place: None, repeats_queries: false };
        drop(pool.acquire().await?);
        if let Some(max_age) = max_age {
            tokio::spawn(close_aged(Arc::downgrade(&pool.inner), max_age));
        }
        Ok(pool)
    }

    /// With short reads of rows on the calling thread.
    pub(super) fn reading_in_place(self, reader: InPlaceReader) -> Self {
        Self { in_place: Some(reader), ..self }
    }

    /// For queries that change nothing: one whose connection is lost is repeated once, on another.
    pub(super) fn repeating_queries(self) -> Self {
        Self { repeats_queries: true, ..self }
    }

    /// The most connections.
    pub fn size(&self) -> u32 {
        self.inner.size
    }

    /// How the connections are opened.
    pub fn connector(&self) -> &Connector {
        &self.inner.connector
    }

    /// The number of idle connections.
    pub fn idle(&self) -> usize {
        self.inner.idle().all.len()
    }

    /// A connection. The wait can be cancelled.
    pub async fn acquire(&self) -> Result<Lease, DbErr> {
        match self.try_acquire_fresh() {
            Some(lease) => Ok(lease),
            None => self.acquire_in_time(true).await,
        }
    }

    /// A new connection, after one was lost: what ended that may be about to end idle ones. The wait
    /// can be cancelled.
    pub async fn acquire_new(&self) -> Result<Lease, DbErr> {
        self.acquire_in_time(false).await
    }

    async fn acquire_in_time(&self, may_be_idle: bool) -> Result<Lease, DbErr> {
        let limit = self.inner.connector.time_limit().max(TIMEOUT);
        let acquired = timeout(limit, async {
            let permit = self.inner.permits.clone().acquire_owned().await;
            let permit =
                permit.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))?;
            let checked = if may_be_idle {
                self.checked_idle().await
            } else {
                // In its place, so that the pool does not exceed its size.
                drop(self.inner.idle().all.pop());
                None
            };
            let (connection, end) = match checked {
                Some(idle) => (idle.connection, idle.end),
                None => self.open().await.map_err(connection_error)?,
            };
            Ok(self.lease(connection, end, permit))
        });
        acquired.await.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
    }

    /// An idle connection, at once and unchecked.
    pub fn try_acquire(&self) -> Option<Lease> {
        let permit = self.inner.permits.clone().try_acquire_owned().ok()?;
        let idle = self.inner.idle().all.pop()?;
        Some(self.lease(idle.connection, idle.end, permit))
    }

    /// An idle connection that needs no check.
    fn try_acquire_fresh(&self) -> Option<Lease> {
        if !self.inner.connector.is_ready_when_idle() {
            return None;
        }
        let permit = self.inner.permits.clone().try_acquire_owned().ok()?;
        let idle = {
            let mut idle = self.inner.idle();
            let broke = idle.broke;
            idle.all.pop_if(|last| !last.needs_check(broke))?
        };
        Some(self.lease(idle.connection, idle.end, permit))
    }

    /// An idle connection after its check.
    async fn checked_idle(&self) -> Option<IdleConnection> {
        loop {
            let (last, broke) = {
                let mut idle = self.inner.idle();
                (idle.all.pop(), idle.broke)
            };
            let mut last = last?;
            let is_usable = if last.needs_check(broke) {
                is_usable(&mut last.connection, CHECK_TIMEOUT, Some("taken")).await
            } else {
                true
            };
            if is_usable && self.inner.connector.check_out(&mut last.connection).await.is_ok() {
                return Some(last);
            }
        }
    }

    /// A new connection, and the end of its lifetime.
    async fn open(&self) -> Result<(Connection, Option<Instant>), SqlxError> {
        let mut backoff = BACKOFF;
        loop {
            match self.inner.connector.open().await {
                Ok(connection) => {
                    return Ok((connection, self.inner.max_age.map(MaxAge::end)));
                }
                Err(error) if is_worth_a_retry(&error) => tokio::time::sleep(backoff).await,
                Err(error) => return Err(error),
            }
            backoff = (backoff * 2).min(TIMEOUT / 5);
        }
    }

    fn lease(
        &self,
        connection: Connection,
        end: Option<Instant>,
        permit: OwnedSemaphorePermit,
    ) -> Lease {
        Lease::new(self.inner.clone(), connection, end, permit)
    }

    /// Closes all connections, once their users have returned them.
    pub async fn close(self) -> Result<(), DbErr> {
        if let Some(in_place) = &self.in_place {
            in_place.close();
        }
        let all = self.inner.permits.acquire_many(self.inner.size).await;
        self.inner.permits.close();
        drop(all);
        let idle = std::mem::take(&mut self.inner.idle().all);
        let closed = join_all(idle.into_iter().map(|one| one.connection.close())).await;
        closed.into_iter().collect::<Result<(), _>>().map_err(connection_error)
    }
}

impl Inner {
    fn idle(&self) -> MutexGuard<'_, IdleConnections> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IdleConnection {
    fn needs_check(&self, broke: Option<Instant>) -> bool {
        self.since.elapsed() >= IDLE || broke.is_some_and(|broke| self.since <= broke)
    }
}

/// Whether a connection responds and is in no transaction. One in a transaction would take the
/// writes of later calls and lose them; without a `when` it is no fault to be logged.
async fn is_usable(connection: &mut Connection, limit: Duration, when: Option<&str>) -> bool {
    let Ok(Ok(is_free)) = timeout(limit, connection.is_free()).await else { return false };
    if let Some(when) = when.filter(|_| !is_free) {
        log_in_transaction(connection.backend(), when);
    }
    is_free
}

/// Whether a lifetime with this end is over.
fn is_over(end: Option<Instant>) -> bool {
    end.is_some_and(|end| Instant::now() >= end)
}

/// The name of a database in logs.
fn name(database: DbBackend) -> &'static str {
    if database == DbBackend::Postgres { "PostgreSQL" } else { "SQLite" }
}

fn log_in_transaction(database: DbBackend, when: &str) {
    let database = name(database);
    tracing::warn!(database, when, "a connection inside a transaction is closed");
}

/// Closes idle connections at their age, while the pool is in use.
async fn close_aged(pool: Weak<Inner>, max_age: MaxAge) {
    loop {
        tokio::time::sleep(max_age.idle.min(max_age.lifetime) / 10).await;
        let Some(pool) = pool.upgrade() else { return };
        let is_aged =
            |one: &mut IdleConnection| one.since.elapsed() >= max_age.idle || is_over(one.end);
        let aged: Vec<_> = pool.idle().all.extract_if(.., is_aged).collect();
        for IdleConnection { connection, .. } in aged {
            let _ = connection.close().await;
        }
    }
}

#[cfg(test)]
mod tests;
