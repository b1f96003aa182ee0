//! The address of PostgreSQL servers: the parameters that are understood, and its parts for each
//! server.

use std::{borrow::Cow, sync::OnceLock, time::Duration};

use sea_orm::{
    SqlxError,
    sqlx::{
        ConnectOptions as _,
        postgres::{PgConnectOptions, PgSslMode},
    },
};
use shared::config::{Env, Vars as _};
use url::Url;

use super::url::ADDRESSES;

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

/// The time limit of an attempt at one server, in seconds.
const CONNECT_TIMEOUT: &str = "connect_timeout";

/// The name of this process at the servers.
static APPLICATION: OnceLock<String> = OnceLock::new();

/// Names this process at its servers (`pg_stat_activity`), with the version. The first name counts.
pub fn set_application_name(program: &str) {
    let _ = APPLICATION.set(format!("{program}/{}", env!("CARGO_PKG_VERSION")));
}

pub(super) fn application_name() -> &'static str {
    APPLICATION.get_or_init(|| env!("CARGO_PKG_NAME").to_owned())
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
        } else if name == CONNECT_TIMEOUT && seconds(&value).is_none() {
            faults.push(format!("its {CONNECT_TIMEOUT} must be a number of seconds from 1 to 60"));
        } else if ["host", "hostaddr", "port"].contains(&&*name) && value.contains(',') {
            faults
                .push("several hosts stand before the name: `host:port,host:port/name`".to_owned());
        } else if ![TARGET, CONNECT_TIMEOUT].contains(&&*name) && !is_known {
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

/// The value of `connect_timeout`.
fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.parse().ok().filter(|seconds| (1..=60).contains(seconds));
    seconds.map(Duration::from_secs)
}

/// The options of one server.
pub struct ServerOptions {
    /// With the settings of sessions.
    pub direct: PgConnectOptions,
    /// Without them, as a pooler wants it.
    pub pooled: PgConnectOptions,
}

/// The options of the servers of an address, and its `connect_timeout`.
pub fn servers(address: &str) -> Result<(Vec<ServerOptions>, Option<Duration>), SqlxError> {
    let mut connect_timeout = None;
    let one = |address: String| -> Result<ServerOptions, SqlxError> {
        let url = Url::parse(&address).map_err(|error| SqlxError::Configuration(error.into()))?;
        let mut pairs = Vec::new();
        for (name, value) in url.query_pairs() {
            if name == CONNECT_TIMEOUT {
                connect_timeout = seconds(&value);
            } else if name != TARGET {
                pairs.push((name, value));
            }
        }
        let direct = options(&url, &pairs)?;
        pairs.retain(|(name, _)| name != "options" && !name.starts_with("options["));
        Ok(ServerOptions { direct, pooled: options(&url, &pairs)? })
    };
    let servers = single(address).into_iter().map(one).collect::<Result<_, _>>()?;
    Ok((servers, connect_timeout))
}

/// The options of an address with these parameters.
fn options(
    url: &Url,
    parameters: &[(Cow<'_, str>, Cow<'_, str>)],
) -> Result<PgConnectOptions, SqlxError> {
    let mut url = url.clone();
    url.set_query(None);
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    // Without digits of floats, which PgBouncer refuses: values are binary.
    let options = url.as_str().parse::<PgConnectOptions>()?.extra_float_digits(None);
    let options = require_authority(options, parameters).disable_statement_logging();
    Ok(match options.get_application_name() {
        Some(_) => options,
        None => options.application_name(application_name()),
    })
}

/// An authority that is named is one to be checked: libpq reads `require` with `sslrootcert`
/// as `verify-ca`, and the driver would not look at the certificate.
fn require_authority(
    options: PgConnectOptions,
    parameters: &[(Cow<'_, str>, Cow<'_, str>)],
) -> PgConnectOptions {
    let has_authority = parameters.iter().any(|(name, _)| name == "sslrootcert")
        || Env.var("PGSSLROOTCERT").is_some();
    match options.get_ssl_mode() {
        PgSslMode::Require if has_authority => options.ssl_mode(PgSslMode::VerifyCa),
        _ => options,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_named_is_required() {
        for (parameters, mode) in [
            ("sslmode=require&sslrootcert=/ca.pem", PgSslMode::VerifyCa),
            ("sslrootcert=/ca.pem&sslmode=require", PgSslMode::VerifyCa),
            ("sslmode=require", PgSslMode::Require),
            ("sslmode=prefer&sslrootcert=/ca.pem", PgSslMode::Prefer),
            ("sslmode=verify-full&sslrootcert=/ca.pem", PgSslMode::VerifyFull),
        ] {
            let (servers, _) = servers(&format!("postgres://a,b/d?{parameters}")).expect("hosts");
            for server in servers {
                let modes = [server.direct, server.pooled].map(|of| of.get_ssl_mode());
                assert!(modes.iter().all(|of| same(*of, mode)), "{parameters}: {modes:?}");
            }
        }
    }

    fn same(one: PgSslMode, other: PgSslMode) -> bool {
        std::mem::discriminant(&one) == std::mem::discriminant(&other)
    }

    #[test]
    fn what_would_be_ignored_is_refused_by_name() {
        for (address, fault) in [
            ("postgres://a/d?schema=x&pgbouncer=s3cret", "`schema` is not understood"),
            ("postgres://a/d?schema=x&pgbouncer=s3cret", "`pgbouncer` is not understood"),
            ("postgres://a/d?connect_timeout=0", "connect_timeout must be a number of seconds"),
            ("postgres://a/d?connect_timeout=s3cret", "connect_timeout must be a number of"),
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
}
