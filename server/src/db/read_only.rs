//! Read-only servers: a standby, or one that was set read-only. A failover can lead there for a
//! moment, and a pool would keep the connection.

use std::sync::atomic::{AtomicU64, Ordering};

use sea_orm::{
    DbErr, SqlxError,
    sqlx::{self, Connection as _, PgConnection, Row as _},
};

use super::{
    Database, TIMEOUT,
    error_code::{driver_error, is_read_only},
    pool::query_error,
};

/// The message for a read-only server.
pub(super) const MESSAGE: &str = "the server is read-only";

/// The count of statements that read-only servers refused in this process, which the probe of
/// each pool compares.
static REFUSALS: AtomicU64 = AtomicU64::new(0);

/// The state of a server, as a new connection finds it.
pub(super) struct ServerState {
    is_read_only: bool,
    /// Whether the statements of this connection have their time limit: the settings of the session
    /// have arrived.
    pub has_timeout: bool,
}

impl ServerState {
    /// The connection; closed, if `writes` and the server takes none.
    pub async fn check(
        &self,
        connection: PgConnection,
        writes: bool,
    ) -> Result<PgConnection, SqlxError> {
        if writes && self.is_read_only {
            let _ = connection.close().await;
            return Err(SqlxError::Configuration(MESSAGE.into()));
        }
        Ok(connection)
    }
}

/// The state of the server of this connection. The query is one message, so that it is safe outside
/// of a transaction behind a pooler too.
pub(super) async fn server_state(connection: &mut PgConnection) -> Result<ServerState, SqlxError> {
    let question = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool, \
                    current_setting('statement_timeout')";
    let row = sqlx::raw_sql(question).fetch_one(connection).await?;
    let has_timeout = row.try_get::<&str, _>(1)? == format!("{}s", TIMEOUT.as_secs());
    Ok(ServerState { is_read_only: row.try_get(0)?, has_timeout })
}

/// Whether the server of this connection is read-only.
pub(super) async fn is_read_only_server(connection: &mut PgConnection) -> Result<bool, SqlxError> {
    Ok(server_state(connection).await?.is_read_only)
}

/// Counts `error` if it is a refusal of a read-only server.
pub(super) fn count(error: &DbErr) {
    if driver_error(error).is_some_and(is_read_only) {
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
