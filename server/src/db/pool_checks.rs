//! The check of every connection that leaves or returns to a pool: it must be in no transaction.
//! A connection in one would take the writes of later calls and lose them, so it is closed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use sea_orm::{
    ConnectOptions, DbBackend, SqlxError,
    sqlx::{Connection, Database, Postgres, SqlStr, Sqlite},
};
use sqlx_core::transaction::TransactionManager;

use super::read_only;

/// The idle time after which a connection is checked for liveness.
const IDLE: Duration = Duration::from_secs(10);

/// The period at which the database itself is queried about a returned connection. The driver's
/// own count, which costs nothing, is checked each time.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Adds the checks to a pool. A pool that `writes` takes no connection to a read-only server.
pub fn of(backend: DbBackend, options: &mut ConnectOptions, writes: bool) {
    // The driver's own check would cost every call a round trip.
    options.test_before_acquire(false);
    let last_check = LastCheck::default();
    if backend == DbBackend::Postgres {
        options.map_sqlx_postgres_before_acquire(|connection, meta| {
            before_acquire::<Postgres>(connection, meta.idle_for)
        });
        options.map_sqlx_postgres_pool_opts(move |pool| {
            let last_check = last_check.clone();
            let pool = pool.after_release(move |connection, _| {
                after_release::<Postgres>(connection, last_check.is_time())
            });
            if writes { read_only::refuse_in(pool) } else { pool }
        });
    } else {
        options.map_sqlx_sqlite_before_acquire(|connection, meta| {
            before_acquire::<Sqlite>(connection, meta.idle_for)
        });
        options.map_sqlx_sqlite_pool_opts(move |pool| {
            let last_check = last_check.clone();
            pool.after_release(move |connection, _| {
                after_release::<Sqlite>(connection, last_check.is_time())
            })
        });
    }
}

/// The time of the last query about a connection of a pool.
#[derive(Clone, Default)]
pub struct LastCheck(Arc<Mutex<Option<Instant>>>);

impl LastCheck {
    pub fn is_time(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = last.is_none_or(|last| last.elapsed() >= CHECK_INTERVAL);
        if is_time {
            *last = Some(Instant::now());
        }
        is_time
    }
}

/// Whether a connection may leave the pool.
pub fn before_acquire<DB: Database>(
    connection: &mut DB::Connection,
    idle: Duration,
) -> BoxFuture<'_, Result<bool, SqlxError>> {
    Box::pin(async move {
        let free = is_free::<DB>(connection, idle >= IDLE).await?;
        Ok(free || log_closed::<DB>("taken"))
    })
}

/// Whether a connection may return to the pool.
pub fn after_release<DB: Database>(
    connection: &mut DB::Connection,
    query_server: bool,
) -> BoxFuture<'_, Result<bool, SqlxError>> {
    Box::pin(async move {
        let free = is_free::<DB>(connection, query_server).await?;
        Ok(free || log_closed::<DB>("given back"))
    })
}

/// Whether a connection is in no transaction: by the driver's count and, if queried, by the
/// database.
async fn is_free<DB: Database>(
    connection: &mut DB::Connection,
    query_server: bool,
) -> Result<bool, SqlxError> {
    if connection.is_in_transaction() {
        return Ok(false);
    }
    if !query_server {
        return Ok(true);
    }
    // The driver treats this as a `BEGIN`, and fails because none is open afterwards, which is how
    // it reports that. In a failed transaction it is an error.
    let attempt = SqlStr::from_static("SELECT 1");
    match DB::TransactionManager::begin(connection, Some(attempt)).await {
        Ok(()) => Ok(false),
        Err(SqlxError::BeginFailed) => Ok(true),
        Err(error) => Err(error),
    }
}

fn log_closed<DB: Database>(when: &str) -> bool {
    let database = DB::NAME;
    tracing::warn!(database, when, "a connection inside a transaction is closed");
    false
}
