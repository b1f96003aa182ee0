//! What processes on one PostgreSQL tell each other: short texts on a channel. They are
//! hints, no more: whoever does not listen just then never hears them.

use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, RuntimeErr, SqlxError, Statement,
    sqlx::{
        Executor,
        postgres::{PgListener, PgPoolOptions},
    },
};

use super::{Database, PATIENCE};

/// A connection on which nothing comes is asked whether it still is one.
const SILENCE: Duration = Duration::from_secs(20);

/// Listens to a channel, on a connection of its own.
pub struct Notifications {
    listener: PgListener,
}

impl Database {
    /// The longest text a notice can have, in bytes.
    pub const MAX_NOTIFICATION_BYTES: usize = 7999;

    /// Tells `text` to all who listen to `channel`, this process included. PostgreSQL only.
    ///
    /// Commits that notify wait for each other, in all of the database. So this is a
    /// statement of its own, never part of somebody's transaction.
    #[expect(clippy::disallowed_methods, reason = "a notice touches nobody's rows")]
    pub async fn notify(&self, channel: &str, text: String) -> Result<(), DbErr> {
        let statement = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "SELECT pg_notify($1, $2)",
            [channel.into(), text.into()],
        );
        self.writer.execute_raw(statement).await.map(drop)
    }

    /// Begins to listen to `channel`; `None` on SQLite, which has no channels.
    pub async fn listen(&self, channel: &str) -> Result<Option<Notifications>, DbErr> {
        if self.backend() != DbBackend::Postgres {
            return Ok(None);
        }
        // Not one of the pool: it would be missing there for as long as the server runs.
        let options = self.writer.get_postgres_connection_pool().connect_options();
        let own = PgPoolOptions::new()
            .max_connections(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with((*options).clone());
        let mut listener = PgListener::connect_with(&own).await.map_err(failed)?;
        listener.eager_reconnect(false);
        listener.listen(channel).await.map_err(failed)?;
        Ok(Some(Notifications { listener }))
    }
}

impl Notifications {
    /// The next text. An error: the connection is lost, and with it whatever was said
    /// since; listen anew.
    pub async fn next(&mut self) -> Result<String, DbErr> {
        loop {
            match tokio::time::timeout(SILENCE, self.listener.try_recv()).await {
                Ok(Ok(Some(notice))) => return Ok(notice.payload().to_owned()),
                Ok(Ok(None)) => {
                    return Err(failed(SqlxError::Io(std::io::ErrorKind::ConnectionReset.into())));
                }
                Ok(Err(error)) => return Err(failed(error)),
                Err(_silent) => self.probe().await?,
            }
        }
    }

    /// A peer that vanished without a word is noticed only by asking it.
    async fn probe(&mut self) -> Result<(), DbErr> {
        let asked = tokio::time::timeout(PATIENCE, self.listener.execute("SELECT 1")).await;
        asked.map_err(|_| failed(SqlxError::PoolTimedOut))?.map(drop).map_err(failed)
    }
}

fn failed(error: SqlxError) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}
