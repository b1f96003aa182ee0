//! Notifications (pub/sub) between processes on one PostgreSQL: short texts on a channel. They
//! are hints: a process that does not listen misses them.

use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, SqlxError, Statement,
    sqlx::{
        Executor,
        postgres::{PgListener, PgPoolOptions},
    },
};

use super::{
    Database, TIMEOUT,
    connection::Connection,
    connector::{Connector, connection_error as failed},
};

/// The idle time after which the connection is probed.
const IDLE: Duration = Duration::from_secs(20);

/// A listener on a channel, with its own connection.
pub struct Notifications {
    listener: PgListener,
}

impl Database {
    /// The longest payload of a notification, in bytes.
    pub const MAX_NOTIFICATION_BYTES: usize = 7999;

    /// Sends `text` to all listeners of `channel`, this process included. PostgreSQL only.
    ///
    /// Commits that notify are serialised across the database, so this is a statement of its own,
    /// never part of a transaction.
    #[expect(clippy::disallowed_methods, reason = "a notification touches no user's rows")]
    pub async fn notify(&self, channel: &str, text: String) -> Result<(), DbErr> {
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "SELECT pg_notify($1, $2)",
            [channel.into(), text.into()],
        );
        self.writer.execute_raw(statement).await.map(drop)
    }

    /// Listens on `channel`; `None` on SQLite, which has no channels.
    pub async fn listen(&self, channel: &str) -> Result<Option<Notifications>, DbErr> {
        // Not from the pool, as it is held for as long as the server runs.
        let Connector::Postgres { servers, .. } = self.writer.connector() else { return Ok(None) };
        let (found, options) = servers.connect(true).await.map_err(failed)?;
        let _ = Connection::Postgres(found).close().await;
        let own = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(TIMEOUT)
            .connect_lazy_with(options.clone());
        let mut listener = PgListener::connect_with(&own).await.map_err(failed)?;
        listener.eager_reconnect(false);
        listener.listen(channel).await.map_err(failed)?;
        Ok(Some(Notifications { listener }))
    }
}

impl Notifications {
    /// The next payload. An error: the connection is lost, with all notifications since; listen
    /// anew.
    pub async fn next(&mut self) -> Result<String, DbErr> {
        loop {
            match tokio::time::timeout(IDLE, self.listener.try_recv()).await {
                Ok(Ok(Some(notification))) => return Ok(notification.payload().to_owned()),
                Ok(Ok(None)) => {
                    return Err(failed(SqlxError::Io(std::io::ErrorKind::ConnectionReset.into())));
                }
                Ok(Err(error)) => return Err(failed(error)),
                Err(_silent) => self.probe().await?,
            }
        }
    }

    /// Detects a server that vanished without closing the connection.
    async fn probe(&mut self) -> Result<(), DbErr> {
        let response = tokio::time::timeout(TIMEOUT, self.listener.execute("SELECT 1")).await;
        response.map_err(|_| failed(SqlxError::PoolTimedOut))?.map(drop).map_err(failed)
    }
}
