//! The servers of a PostgreSQL address: one, or several of which the first is used that takes
//! writes (libpq, "Specifying Multiple Hosts", with `target_session_attrs=read-write`).

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use sea_orm::{
    SqlxError,
    sqlx::{
        ConnectOptions as _, Connection as _, PgConnection,
        postgres::{PgConnectOptions, PgSslMode},
    },
};
use shared::origin::Origin;
use tokio::time::timeout;
use url::Url;

use super::{TIMEOUT, reachability::is_transient, read_only, url::ADDRESSES};

/// The parameters of an address that the driver understands, and families of them.
const PARAMETERS: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
];

/// The kind of server to use. Only one has a meaning here, and it is the default.
const TARGET: &str = "target_session_attrs";
const WRITABLE: [&str; 2] = ["read-write", "primary"];

/// The name of this process at the servers.
static APPLICATION: OnceLock<String> = OnceLock::new();

/// Names this process at its servers (`pg_stat_activity`), with the version. The first name counts.
pub fn set_application_name(program: &str) {
    let _ = APPLICATION.set(format!("{program}/{}", env!("CARGO_PKG_VERSION")));
}

fn application_name() -> &'static str {
    APPLICATION.get_or_init(|| env!("CARGO_PKG_NAME").to_owned())
}

/// The time after which a server that has not answered yet is no longer waited for alone.
const HEAD_START: Duration = Duration::from_millis(300);

/// The servers of an address, in its order.
#[derive(Clone)]
pub struct Servers {
    all: Arc<[PgConnectOptions]>,
    /// The one that was used last, and is asked first: the others are read-only, or away.
    last: Arc<AtomicUsize>,
}

/// Refuses what an address asks for and the driver would ignore. Names parameters, never values.
pub fn check(address: &str) -> Result<(), String> {
    let urls: Result<Vec<_>, _> = single(address).iter().map(|one| Url::parse(one)).collect();
    // The driver's own error quotes the password.
    let urls = urls.map_err(|_| ADDRESSES.to_owned())?;
    let Some(url) = urls.first() else { return Ok(()) };
    // Behind a `?` in a password, the rest of that password would be a name.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.[]".contains(&byte);
    if url.query_pairs().any(|(name, _)| !name.bytes().all(is_plain)) {
        return Err(ADDRESSES.to_owned());
    }
    let mut faults = Vec::new();
    for (name, value) in url.query_pairs() {
        let is_known =
            PARAMETERS.contains(&&*name) || name == "user" || name.starts_with("options[");
        if name == TARGET && !WRITABLE.contains(&&*value) {
            faults.push(format!("its {TARGET} must be `read-write`, as every change writes"));
        } else if ["host", "hostaddr", "port"].contains(&&*name) && value.contains(',') {
            faults
                .push("several hosts stand before the name: `host:port,host:port/name`".to_owned());
        } else if name != TARGET && !is_known {
            faults.push(format!("its parameter `{name}` is not understood"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}

/// The addresses with one host each.
fn single(address: &str) -> Vec<String> {
    let Some((scheme, rest)) = address.split_once("://") else { return Vec::new() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    hosts.split(',').map(|host| format!("{scheme}://{user}{host}{path}")).collect()
}

async fn connect(options: &PgConnectOptions, writes: bool) -> Result<PgConnection, SqlxError> {
    let mut connection = options.connect().await?;
    if writes && read_only::is_read_only_server(&mut connection).await? {
        let _ = connection.close().await;
        return Err(SqlxError::Configuration(read_only::MESSAGE.into()));
    }
    Ok(connection)
}

impl Servers {
    /// The servers of an address, called by the name of this program unless it names another.
    pub fn parse(address: &str) -> Result<Self, SqlxError> {
        let one = |address: String| -> Result<PgConnectOptions, SqlxError> {
            let mut url =
                Url::parse(&address).map_err(|error| SqlxError::Configuration(error.into()))?;
            let pairs = url
                .query_pairs()
                .filter(|(name, _)| name != TARGET)
                .map(|(name, value)| (name.into_owned(), value.into_owned()));
            let pairs: Vec<_> = pairs.collect();
            url.set_query(None);
            if !pairs.is_empty() {
                url.query_pairs_mut().extend_pairs(pairs);
            }
            let options = url.as_str().parse::<PgConnectOptions>()?;
            Ok(match options.get_application_name() {
                Some(_) => options,
                None => options.application_name(application_name()),
            })
        };
        let all = single(address).into_iter().map(one).collect::<Result<_, _>>()?;
        Ok(Self { all, last: Arc::default() })
    }

    /// The servers with these settings of connections.
    pub fn with(self, settings: impl Fn(PgConnectOptions) -> PgConnectOptions) -> Self {
        Self { all: self.all.iter().cloned().map(settings).collect(), last: self.last }
    }

    /// Connects to the server that was used last or, where it fails or is slow, to the first of all
    /// that answers; if `writes`, to one that takes writes. Each gets its share of the time of one.
    pub async fn connect(
        &self,
        writes: bool,
    ) -> Result<(PgConnection, &PgConnectOptions), SqlxError> {
        let limit = TIMEOUT / u32::try_from(self.all.len()).unwrap_or(1).max(1);
        let attempt = |index: usize| async move {
            let attempt = timeout(limit, connect(&self.all[index], writes)).await;
            let elapsed = |_| Err(SqlxError::Io(io::ErrorKind::TimedOut.into()));
            (index, attempt.unwrap_or_else(elapsed))
        };
        let last = self.last.load(Ordering::Relaxed);
        let mut attempts = FuturesUnordered::from_iter([attempt(last)]);
        let mut answer = timeout(HEAD_START, attempts.next()).await.unwrap_or(None);
        if !matches!(answer, Some((_, Ok(_)))) {
            attempts.extend((0..self.all.len()).filter(|index| *index != last).map(attempt));
        }
        let mut failure = None;
        loop {
            match answer {
                Some((index, Ok(connection))) => {
                    self.last.store(index, Ordering::Relaxed);
                    return Ok((connection, &self.all[index]));
                }
                // One that may pass says that waiting helps.
                Some((_, Err(error)))
                    if failure
                        .as_ref()
                        .is_none_or(|before| !is_transient(before) && is_transient(&error)) =>
                {
                    failure = Some(error);
                }
                _ => {}
            }
            if attempts.is_empty() {
                return Err(failure.unwrap_or(SqlxError::PoolClosed));
            }
            answer = attempts.next().await;
        }
    }

    /// Whether certificates are checked, with the name of the server.
    pub fn are_verified(&self) -> bool {
        self.all.iter().all(|one| matches!(one.get_ssl_mode(), PgSslMode::VerifyFull))
    }

    /// Whether all of them are on this machine.
    pub fn are_local(&self) -> bool {
        let is_local = |host: &str| {
            Origin::parse(&format!("http://{host}")).is_ok_and(|origin| origin.is_local())
        };
        self.all.iter().all(|one| one.get_socket().is_some() || is_local(one.get_host()))
    }

    /// The location of the database, without user and password.
    pub fn location(&self) -> String {
        let Some(first) = self.all.first() else { return "PostgreSQL".to_owned() };
        let name = first.get_database().unwrap_or(first.get_username());
        let hosts = self.all.iter().map(|one| match one.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", one.get_host(), one.get_port()),
        });
        format!("PostgreSQL at {}/{name}", hosts.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(check(address), Ok(()), "{address}");
            assert_eq!(Servers::parse(address).expect(address).location(), location);
        }
    }

    #[test]
    fn what_would_be_ignored_is_refused_by_name() {
        for (address, fault) in [
            ("postgres://a/d?connect_timeout=9&pgbouncer=s3cret", "`connect_timeout` is not under"),
            ("postgres://a/d?connect_timeout=9&pgbouncer=s3cret", "`pgbouncer` is not understood"),
            (
                "postgres://a/d?target_session_attrs=any",
                "target_session_attrs must be `read-write`",
            ),
            ("postgres://a/d?host=b,c", "several hosts stand before the name"),
            ("postgres://u:s3cret@a:1,b:x/d", "must be"),
            ("postgres://u:12?s3cret@a/d", "must be"),
            ("postgres://u:12?s3cret&x@a/d", "must be"),
        ] {
            let told = check(address).expect_err(address);
            assert!(told.contains(fault) && !told.contains("s3cret"), "{address}: {told}");
        }
    }

    #[test]
    fn connections_have_the_name_of_the_program_or_of_the_address() {
        let name = |address: &str| {
            let servers = Servers::parse(address).expect(address);
            servers.all[0].get_application_name().map(str::to_owned)
        };
        assert_eq!(name("postgres://a/d").as_deref(), Some(application_name()));
        assert_eq!(name("postgres://a/d?application_name=mine").as_deref(), Some("mine"));
    }
}
