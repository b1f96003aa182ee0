//! A pool of connections under the ORM's `ConnectionTrait`.
//!
//! The driver's own pool costs every statement a task and a round trip: it asks each connection
//! that is returned whether it is still alive. Here a connection is checked only if something
//! speaks against it: a statement that failed or was interrupted, a long idle time, or another
//! connection that broke.

mod age;
mod lease;
mod search;
mod statements;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use sea_orm::{ConnAcquireErr, DbBackend, DbErr};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use self::search::Search;
pub use self::{
    age::MaxAge,
    lease::Lease,
    statements::{execution_error, query_error},
};
use super::{
    TIMEOUT,
    connection::Connection,
    connector::{Connector, connection_error},
    in_place::InPlaceReader,
};

/// The idle time after which a connection is checked before its next use.
const IDLE: Duration = Duration::from_secs(10);

/// The period at which the database is queried about a returned connection: whether it is in a
/// transaction. The driver's own count, which costs nothing, is checked each time.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The time limit of a check: a server that vanished does not respond.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

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
    search: Search,
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
            search: Search::default(),
        };
        let pool = Self { inner: Arc::new(inner), in_place: None, repeats_queries: false };
        drop(pool.acquire().await?);
        if let Some(max_age) = max_age {
            tokio::spawn(age::close_aged(Arc::downgrade(&pool.inner), max_age));
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
            let (connection, end) = if let Some(idle) = checked {
                (idle.connection, idle.end)
            } else {
                let opened = self.inner.search.open(&self.inner.connector).await;
                (opened.map_err(connection_error)?, self.inner.max_age.map(MaxAge::end))
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
                self.inner.is_usable(&mut last.connection, CHECK_TIMEOUT, Some("taken")).await
            } else {
                true
            };
            if is_usable && self.inner.connector.check_out(&mut last.connection).await.is_ok() {
                return Some(last);
            }
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

    /// Whether a connection responds and is in no transaction. One in a transaction would take the
    /// writes of later calls and lose them; without a `when` it is no fault to be logged.
    async fn is_usable(
        &self,
        connection: &mut Connection,
        limit: Duration,
        when: Option<&str>,
    ) -> bool {
        match timeout(limit, connection.is_free()).await {
            Ok(Ok(true)) => true,
            Ok(Ok(false)) => {
                if let Some(when) = when {
                    log_in_transaction(connection.backend(), when);
                }
                false
            }
            Ok(Err(_)) => false,
            // A server that is silent on one connection is so on all, which would take their time.
            Err(_elapsed) => {
                self.close_idle();
                false
            }
        }
    }
}

impl IdleConnection {
    fn needs_check(&self, broke: Option<Instant>) -> bool {
        self.since.elapsed() >= IDLE || broke.is_some_and(|broke| self.since <= broke)
    }
}

/// The name of a database in logs.
fn name(database: DbBackend) -> &'static str {
    if database == DbBackend::Postgres { "PostgreSQL" } else { "SQLite" }
}

fn log_in_transaction(database: DbBackend, when: &str) {
    let database = name(database);
    tracing::warn!(database, when, "a connection inside a transaction is closed");
}

#[cfg(test)]
mod tests;
