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
    Database, TIMEOUT, connection::Connection, connector::connection_error as failed,
    server_address, servers::ServerConnection,
};

/// The idle time after which the connection is probed.
const IDLE: Duration = Duration::from_secs(5);

/// The address at which a process listens for notifications.
#[derive(Clone, Default)]
pub enum ListenAddress {
    /// That of the database.
    #[default]
    Database,
    /// Another address of the same database, of a kind that PostgreSQL has.
    Other(String),
    /// None.
    Off,
}

impl ListenAddress {
    /// Reads `postgres://…`, or `off`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            address if address.starts_with("postgres") => {
                server_address::check(address).map(|()| Self::Other(address.to_owned()))
            }
            _ => Err("must be `off` or `postgres://user:password@host:port/name`".to_owned()),
        }
    }

    /// Whether the setting names an address or turns listening off.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !matches!(self, Self::Database)
    }
}

/// A listener on a channel, with its own connection.
pub struct Notifications {
    listener: PgListener,
}

impl Database {
    /// The longest payload of a notification, in bytes.
    pub const MAX_NOTIFICATION_BYTES: usize = 7999;

    /// Sends `text` to all listeners of `channel`, this process included. PostgreSQL only; where
    /// listening is off, to none.
    ///
    /// Commits that notify are serialised across the database, so this is a statement of its own,
    /// never part of a transaction.
    #[expect(clippy::disallowed_methods, reason = "a notification touches no user's rows")]
    pub async fn notify(&self, channel: &str, text: String) -> Result<(), DbErr> {
        if self.listens_at.is_none() {
            return Ok(());
        }
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "SELECT pg_notify($1, $2)",
            [channel.into(), text.into()],
        );
        self.writer.execute_raw(statement).await.map(drop)
    }

    /// Listens on `channel`; `None` where there is nothing to hear: on SQLite, behind a pooler whose
    /// sessions others have as well, or where listening is off. The log says so on PostgreSQL.
    pub async fn listen(&self, channel: &str) -> Result<Option<Notifications>, DbErr> {
        let Some(servers) = &self.listens_at else {
            if self.backend() == DbBackend::Postgres {
                tracing::info!("no notifications of other replicas: their changes are polled for");
            }
            return Ok(None);
        };
        // Not from the pool, as it is held for as long as the server runs.
        let ServerConnection { connection, options, is_pooled, .. } =
            servers.connect(true).await.map_err(failed)?;
        let _ = Connection::Postgres(connection, None).close().await;
        if is_pooled {
            let location = servers.location();
            tracing::warn!(
                location,
                "a pooler passes no notifications on: changes of other replicas are polled for; \
                 set DATABASE_LISTEN_URL to the address of the server itself, or to `off`"
            );
            return Ok(None);
        }
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
