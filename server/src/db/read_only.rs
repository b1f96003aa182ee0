//! Read-only servers: a standby, or one that was set read-only. A failover can lead there for a
//! moment, and a pool would keep the connection.

use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::{
    DbErr, SqlxError,
    sqlx::{self, PgConnection},
};

use super::{
    Database,
    error_code::{ErrorCode, driver_error},
    pool::query_error,
};

/// The message for a read-only server.
pub(super) const MESSAGE: &str = "the server is read-only";

/// `read_only_sql_transaction`
pub(super) const SQLSTATE: &str = "25006";

/// The count of statements that read-only servers refused in this process, which the probe of
/// each pool compares.
static REFUSALS: AtomicU64 = AtomicU64::new(0);

/// Whether the server of this connection is read-only.
pub(super) async fn is_read_only_server(connection: &mut PgConnection) -> Result<bool, SqlxError> {
    let question =
        "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean";
    sqlx::query_scalar(question).persistent(false).fetch_one(connection).await
}

/// Counts `error` if it is a refusal of a read-only server.
pub(super) fn count(error: &DbErr) {
    if let Some(ErrorCode::SqlState(state)) = driver_error(error).and_then(ErrorCode::of)
        && state == SQLSTATE
    {
        REFUSALS.fetch_add(1, Ordering::Relaxed);
    }
}

/// The count of refusals.
pub(super) fn refusals() -> u64 {
    REFUSALS.load(Ordering::Relaxed)
}

impl Database {
    /// Closes idle connections to a read-only server, and returns whether there was one. Checks one
    /// connection, or `all`.
    pub(super) async fn drop_read_only(&self, all: bool) -> Result<bool, DbErr> {
        let pool = &self.writer;
        let mut found = false;
        let mut attempt = pool.acquire().await?;
        let mut left = if all { pool.idle() } else { 0 };
        loop {
            if attempt.is_read_only_server().await.map_err(query_error)? {
                // One connection to a read-only server suggests that all are.
                left = if found { left } else { pool.idle() };
                found = true;
                attempt.close();
            }
            match pool.try_acquire() {
                Some(next) if left > 0 => attempt = next,
                _ => return Ok(found),
            }
            left -= 1;
        }
    }
}
