//! Servers that cannot be written to: a standby, or one that was set to read only. A
//! failover can lead there for a moment, and a pool would keep the connection.

use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::{
    DbErr, SqlxError,
    sqlx::{self, PgConnection, postgres::PgPoolOptions},
};

use super::{
    Database,
    error_code::{ErrorCode, driver_error},
};

/// What is told of such a server.
pub(super) const WORDS: &str = "the server is read-only";

/// `read_only_sql_transaction`
pub(super) const SQLSTATE: &str = "25006";

/// How often a statement was refused for that, in this process. Whoever looks after a pool
/// compares; a statement does not know its pool.
static REFUSALS: AtomicU64 = AtomicU64::new(0);

/// Whether whoever is connected here cannot write.
pub(super) async fn is_so(connection: &mut PgConnection) -> Result<bool, SqlxError> {
    let question =
        "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean";
    sqlx::query_scalar(question).persistent(false).fetch_one(connection).await
}

/// A pool that takes no connection to such a server.
pub(super) fn refused_by(pool: PgPoolOptions) -> PgPoolOptions {
    pool.after_connect(|connection, _| {
        Box::pin(async move {
            if is_so(connection).await? {
                return Err(SqlxError::Configuration(WORDS.into()));
            }
            Ok(())
        })
    })
}

/// Counts `error` if the server refused to write.
pub(super) fn count(error: &DbErr) {
    if let Some(ErrorCode::SqlState(state)) = driver_error(error).and_then(ErrorCode::of)
        && state == SQLSTATE
    {
        REFUSALS.fetch_add(1, Ordering::Relaxed);
    }
}

/// How many refusals there were so far.
pub(super) fn refusals() -> u64 {
    REFUSALS.load(Ordering::Relaxed)
}

impl Database {
    /// Closes every idle connection to a server that cannot be written to, and tells
    /// whether there was one. Asks one of them, or `all`.
    pub(super) async fn drop_read_only(&self, all: bool) -> Result<bool, SqlxError> {
        let pool = self.writer.get_postgres_connection_pool();
        let mut found = false;
        let mut asked = pool.acquire().await?;
        let mut left = if all { pool.num_idle() } else { 0 };
        loop {
            if is_so(&mut asked).await? {
                // What one of them says is likely so of all.
                left = if found { left } else { pool.num_idle() };
                found = true;
                asked.close().await?;
            }
            match pool.try_acquire() {
                Some(next) if left > 0 => asked = next,
                _ => return Ok(found),
            }
            left -= 1;
        }
    }
}
