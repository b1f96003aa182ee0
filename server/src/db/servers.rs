//! The servers of a PostgreSQL address: one, or several of which the first is used that takes
//! writes (libpq, "Specifying Multiple Hosts", with `target_session_attrs=read-write`).

mod race;

use std::{io, sync::Arc, time::Duration};

use sea_orm::{
    SqlxError,
    sqlx::{
        AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection,
        postgres::{PgConnectOptions, PgSslMode},
    },
};
use shared::address;
use tokio::time::timeout;

use self::race::{HEAD_START, Preference};
use super::{
    TIMEOUT,
    pooler::{Detection, Pooler, SessionSettings, refuses_settings},
    reachability::is_transient,
    read_only,
    server_address::{self, ServerOptions},
};

/// The least time of an attempt, however many servers there are.
const SHORTEST_LIMIT: Duration = Duration::from_secs(1);

/// The servers of an address, in its order.
#[derive(Clone)]
pub struct Servers {
    all: Arc<[ServerOptions]>,
    detection: Detection,
    connect_timeout: Option<Duration>,
    preference: Arc<Preference>,
}

/// A connection to a server.
pub struct ServerConnection<'s> {
    pub connection: PgConnection,
    /// The options to open more of them.
    pub options: &'s PgConnectOptions,
    /// The statement that sets the settings of a transaction, where the options do not.
    pub settings: Option<Arc<str>>,
    /// Whether sessions change with transactions.
    pub is_pooled: bool,
}

impl Servers {
    /// The servers of an address, called by the name of this program unless the address has another.
    /// Their statements have a time limit.
    pub fn parse(address: &str, detection: Detection) -> Result<Self, SqlxError> {
        let (servers, connect_timeout) = server_address::servers(address)?;
        let timeout = [("statement_timeout", TIMEOUT.as_millis())];
        let with_timeout = |server: ServerOptions| ServerOptions {
            direct: server.direct.options(timeout),
            ..server
        };
        let all = servers.into_iter().map(with_timeout).collect();
        Ok(Self { all, detection, connect_timeout, preference: Arc::default() })
    }

    /// The servers with these settings of sessions.
    pub fn with(self, settings: &[(&str, &str)]) -> Self {
        let with = |server: &ServerOptions| ServerOptions {
            direct: server.direct.clone().options(settings.iter().copied()),
            pooled: server.pooled.clone(),
        };
        Self { all: self.all.iter().map(with).collect(), ..self }
    }

    /// The longest that a connection takes to open, or not to.
    pub fn time_limit(&self) -> Duration {
        self.attempt_limit() + self.head_starts()
    }

    /// The longest that an attempt at one server takes. All of them together get the time of one,
    /// unless the address has a `connect_timeout`.
    fn attempt_limit(&self) -> Duration {
        let part = || TIMEOUT.saturating_sub(self.head_starts()).max(SHORTEST_LIMIT);
        self.connect_timeout.unwrap_or_else(part)
    }

    /// The time after which the last server is asked.
    fn head_starts(&self) -> Duration {
        HEAD_START * u32::try_from(self.all.len()).unwrap_or(1).saturating_sub(1)
    }

    /// Whether a pooler is in front whose sessions change with transactions; not known before the
    /// first connection.
    pub fn is_pooled(&self) -> bool {
        self.detection.pooler() == Some(Pooler::Transaction)
    }

    /// Connects to the first server that answers and, if `writes`, takes writes. The one used last
    /// is asked first, and each next one soon after, without waiting for those before.
    pub async fn connect(&self, writes: bool) -> Result<ServerConnection<'_>, SqlxError> {
        let attempt = move |server: usize| async move {
            let opened = timeout(self.attempt_limit(), self.open(&self.all[server], writes)).await;
            opened.unwrap_or_else(|_elapsed| Err(SqlxError::Io(io::ErrorKind::TimedOut.into())))
        };
        let found = self.preference.first_fit(self.all.len(), attempt, is_transient).await;
        found.map_err(|failures| {
            // One that may pass says that waiting helps.
            let passing = failures.iter().position(is_transient).unwrap_or(0);
            failures.into_iter().nth(passing).unwrap_or(SqlxError::PoolClosed)
        })
    }

    async fn open<'s>(
        &self,
        server: &'s ServerOptions,
        writes: bool,
    ) -> Result<ServerConnection<'s>, SqlxError> {
        if self.detection.pooler().is_none() {
            match server.direct.connect().await {
                Ok(mut connection) => {
                    let state = read_only::server_state(&mut connection).await?;
                    if state.has_timeout {
                        let connection = state.check(connection, writes).await?;
                        let (options, settings, is_pooled) = (&server.direct, None, false);
                        return Ok(ServerConnection { connection, options, settings, is_pooled });
                    }
                    let _ = connection.close().await;
                }
                Err(error) if refuses_settings(&error) => {}
                Err(error) => return Err(error),
            }
            self.detection.found(&self.location());
        }
        let options = &server.pooled;
        let settings = SessionSettings::parse(server.direct.get_options().unwrap_or_default())?;
        let mut connection = options.connect().await?;
        let is_pooled = self.is_pooled();
        if !is_pooled {
            connection.execute(AssertSqlSafe(settings.for_session())).await?;
        }
        let settings = Some(settings.for_transaction().into());
        let state = read_only::server_state(&mut connection).await?;
        let connection = state.check(connection, writes).await?;
        Ok(ServerConnection { connection, options, settings, is_pooled })
    }

    /// Whether certificates are checked, with the name of the server.
    pub fn are_verified(&self) -> bool {
        self.all.iter().all(|one| matches!(one.direct.get_ssl_mode(), PgSslMode::VerifyFull))
    }

    /// Whether a connection in clear is refused.
    pub fn are_encrypted(&self) -> bool {
        let is_optional =
            |mode| matches!(mode, PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer);
        self.all.iter().all(|one| !is_optional(one.direct.get_ssl_mode()))
    }

    /// Whether all of them are on this machine.
    pub fn are_local(&self) -> bool {
        let is_local = |host| address::is_local(host);
        let mut all = self.all.iter().map(|one| &one.direct);
        all.all(|one| one.get_socket().is_some() || is_local(one.get_host()))
    }

    /// The location of the database, without user and password.
    pub fn location(&self) -> String {
        let mut all = self.all.iter().map(|one| &one.direct).peekable();
        let Some(first) = all.peek() else { return "PostgreSQL".to_owned() };
        let name = first.get_database().unwrap_or(first.get_username());
        let name = name.to_owned();
        let hosts = all.map(|one| match one.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", one.get_host(), one.get_port()),
        });
        format!("PostgreSQL at {}/{name}", hosts.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(address: &str) -> Servers {
        Servers::parse(address, Detection::new(Pooler::Detect)).expect(address)
    }

    #[test]
    fn an_address_names_one_server_or_several() {
        for (address, location) in [
            ("postgres://u:p@a:1/d", "PostgreSQL at a:1/d"),
            (
                "postgres://u:p@a:1,b,[::1]:3/d?sslmode=require",
                "PostgreSQL at a:1,b:5432,[::1]:3/d",
            ),
            (
                "postgresql://u@a,b/d?target_session_attrs=read-write",
                "PostgreSQL at a:5432,b:5432/d",
            ),
            ("postgres://u:p@localhost/d?host=/run/pg", "PostgreSQL at /run/pg/d"),
        ] {
            assert_eq!(server_address::check(address), Ok(()), "{address}");
            assert_eq!(servers(address).location(), location);
        }
    }

    #[test]
    fn each_server_has_the_time_of_the_address_or_its_part_of_the_whole() {
        let limits = |address: &str| {
            let servers = servers(address);
            (servers.attempt_limit().as_millis(), servers.time_limit().as_millis())
        };
        assert_eq!(limits("postgres://a/d"), (4000, 4000));
        assert_eq!(limits("postgres://a,b,c/d"), (3400, 4000));
        assert_eq!(limits("postgres://a/d?connect_timeout=9"), (9000, 9000));
        assert_eq!(limits("postgres://a,b/d?connect_timeout=9"), (9000, 9300));
    }

    #[test]
    fn connections_have_the_name_of_the_program_or_of_the_address() {
        let name = |address: &str| {
            let found = servers(address);
            found.all[0].direct.get_application_name().map(str::to_owned)
        };
        assert_eq!(name("postgres://a/d").as_deref(), Some(server_address::application_name()));
        assert_eq!(name("postgres://a/d?application_name=mine").as_deref(), Some("mine"));
    }
}
