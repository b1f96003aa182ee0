//! What is asked of every connection that goes out of a pool and comes back to it: that it
//! is in no transaction. One that is would take the writes of later calls and lose them, so
//! it is closed.

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

/// A connection that was not used for this long is asked whether it still is one.
const IDLE: Duration = Duration::from_secs(10);

/// How often the database itself is asked about a connection that comes back. The driver's
/// own count, which costs nothing, is looked at each time.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// Has every connection of a pool looked at. One that `writes` takes no connection to a
/// server that is read-only.
pub fn of(backend: DbBackend, options: &mut ConnectOptions, writes: bool) {
    // The driver's own question, put each time, would cost every call a trip.
    options.test_before_acquire(false);
    let asked = LastCheck::default();
    if backend == DbBackend::Postgres {
        options.map_sqlx_postgres_before_acquire(|connection, meta| {
            going_out::<Postgres>(connection, meta.idle_for)
        });
        options.map_sqlx_postgres_pool_opts(move |pool| {
            let asked = asked.clone();
            let pool = pool.after_release(move |connection, _| {
                coming_back::<Postgres>(connection, asked.is_time())
            });
            if writes { read_only::refused_by(pool) } else { pool }
        });
    } else {
        options.map_sqlx_sqlite_before_acquire(|connection, meta| {
            going_out::<Sqlite>(connection, meta.idle_for)
        });
        options.map_sqlx_sqlite_pool_opts(move |pool| {
            let asked = asked.clone();
            pool.after_release(move |connection, _| {
                coming_back::<Sqlite>(connection, asked.is_time())
            })
        });
    }
}

/// When the database was last asked about a connection of a pool.
#[derive(Clone, Default)]
pub struct LastCheck(Arc<Mutex<Option<Instant>>>);

impl LastCheck {
    pub fn is_time(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = last.is_none_or(|last| last.elapsed() >= ASKED_EVERY);
        if is_time {
            *last = Some(Instant::now());
        }
        is_time
    }
}

/// Whether a connection may be taken out of a pool.
pub fn going_out<DB: Database>(
    connection: &mut DB::Connection,
    idle: Duration,
) -> BoxFuture<'_, Result<bool, SqlxError>> {
    Box::pin(async move {
        let free = is_free::<DB>(connection, idle >= IDLE).await?;
        Ok(free || closed::<DB>("taken"))
    })
}

/// Whether it may come back to it.
pub fn coming_back<DB: Database>(
    connection: &mut DB::Connection,
    ask: bool,
) -> BoxFuture<'_, Result<bool, SqlxError>> {
    Box::pin(async move {
        let free = is_free::<DB>(connection, ask).await?;
        Ok(free || closed::<DB>("given back"))
    })
}

/// Whether a connection is in no transaction: by the driver's count, and, if it is to be
/// asked, by the database's own word.
async fn is_free<DB: Database>(
    connection: &mut DB::Connection,
    ask: bool,
) -> Result<bool, SqlxError> {
    if connection.is_in_transaction() {
        return Ok(false);
    }
    if !ask {
        return Ok(true);
    }
    // The driver takes this for a `BEGIN`, and fails as none is open afterwards, which is
    // the only way it has to tell. In a transaction that failed it is an error.
    let asked = SqlStr::from_static("SELECT 1");
    match DB::TransactionManager::begin(connection, Some(asked)).await {
        Ok(()) => Ok(false),
        Err(SqlxError::BeginFailed) => Ok(true),
        Err(error) => Err(error),
    }
}

fn closed<DB: Database>(when: &str) -> bool {
    let database = DB::NAME;
    tracing::warn!(database, when, "a connection inside a transaction is closed");
    false
}
