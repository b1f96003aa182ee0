//! Settings of both services from one environment, with defaults that need none.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::Path,
    sync::Arc,
};

use server::{
    Addresses,
    cli::doctor::{self, Report},
    db::DatabaseUrl,
};
use shared::{
    auth::{Keyring, Secret, TokenKind, TokenPolicy, Trust},
    config::{Reader, Vars},
    origin::Origin,
};

use crate::secret;

/// Where the secret is kept if none was given.
const SECRET_FILE: &str = "data/secret";

/// Where a frontend would find this machine.
const URL: &str = "http://localhost:8000";

/// The default addresses of both services.
pub const ADDRESSES: Addresses = Addresses {
    grpc: auth_service::ADDRESSES.grpc,
    http: SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8000)),
};

/// The settings of the pair.
pub struct Pair {
    pub auth: auth_service::Config,
    pub tasks: task_service::Config,
    /// The file a secret was drawn into just now.
    pub drawn: Option<&'static str>,
}

/// The secrets in use, for a command that must not draw one: no server would know it.
pub fn known_keys(reader: &mut Reader<'_, impl Vars>) -> io::Result<Option<Arc<Keyring>>> {
    if !is_given(reader) && !Path::new(SECRET_FILE).exists() {
        let fault = format!("is not set and {SECRET_FILE} is not here: start the server first");
        reader.fault("BETTER_AUTH_SECRET", fault);
        return Ok(None);
    }
    keys(reader).map(|(keys, _)| keys)
}

/// The secrets in use, and the file of one that was drawn just now.
fn keys(
    reader: &mut Reader<'_, impl Vars>,
) -> io::Result<(Option<Arc<Keyring>>, Option<&'static str>)> {
    if is_given(reader) {
        return Ok((Keyring::read(reader).map(Arc::new), None));
    }
    let (text, drawn) = secret::kept_in(Path::new(SECRET_FILE))?;
    match Secret::parse(text) {
        Ok(secret) => {
            let keys = Arc::new(Keyring::new(&secret, &[]));
            Ok((Some(keys), drawn.then_some(SECRET_FILE)))
        }
        Err(fault) => {
            let fault = format!("in {SECRET_FILE} {fault}: delete the file to draw a new one");
            reader.fault("BETTER_AUTH_SECRET", fault);
            Ok((None, None))
        }
    }
}

/// Notes who can read the secret, where it is kept in a file.
pub fn examine_secret_file(reader: &Reader<'_, impl Vars>, report: &mut Report) {
    if !is_given(reader) {
        doctor::file_access(report, Path::new(SECRET_FILE), "the secret");
    }
}

fn is_given(reader: &Reader<'_, impl Vars>) -> bool {
    ["BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS"].into_iter().any(|name| reader.is_set(name))
}

/// The rules for tokens.
pub fn policy(reader: &mut Reader<'_, impl Vars>) -> Option<TokenPolicy> {
    TokenPolicy::read(reader, Some(URL))
}

/// Where the accounts are.
pub fn auth_database(reader: &mut Reader<'_, impl Vars>) -> Option<DatabaseUrl> {
    DatabaseUrl::read_from(reader, "AUTH_DATABASE_URL", "sqlite://data/auth.db")
}

/// Where the tasks are.
pub fn task_database(reader: &mut Reader<'_, impl Vars>) -> Option<DatabaseUrl> {
    DatabaseUrl::read_from(reader, "TASK_DATABASE_URL", "sqlite://data/tasks.db")
}

/// Reads the settings of both. `DATABASE_URL` would put both into one database, so each
/// has its own variable here.
pub fn read(reader: &mut Reader<'_, impl Vars>) -> io::Result<Option<Pair>> {
    TokenKind::read(reader).refuse_others(reader);
    reader.read_elsewhere("DATABASE_URL", &["AUTH_DATABASE_URL", "TASK_DATABASE_URL"]);
    let (keys, drawn) = keys(reader)?;
    let policy = policy(reader);
    let origin = Origin::read_own(reader, Some(URL));
    let longest = policy.as_ref().map(|policy| policy.max_lifetime);
    let accounts = auth_service::AccountSettings::read(reader, longest);
    if let Some(policy) = &policy {
        accounts.check(policy, reader);
    }
    let rate_limit = auth_service::RateLimitSettings::read(reader);
    let auth = auth_database(reader);
    let tasks = task_database(reader);
    let server = server::Settings::read(reader, ADDRESSES);
    let quota = task_service::Quota::read(reader);
    let spool_dir = task_service::Config::read_spool_dir(reader);
    let trash_retention = task_service::Config::read_trash_retention(reader);
    Ok((|| {
        let (keys, policy) = (keys?, policy?);
        Some(Pair {
            auth: auth_service::Config {
                keys: keys.clone(),
                policy: policy.clone(),
                origin,
                rate_limit,
                accounts,
                tasks: auth_service::TaskServiceAddress::Loopback,
                database: auth?,
                server: server.clone(),
            },
            tasks: task_service::Config {
                trust: Trust::Secrets(keys.clone()),
                keys,
                policy,
                database: tasks?,
                quota,
                spool_dir,
                server,
                trash_retention,
                security_event_retention: accounts.security_event_retention,
            },
            drawn,
        })
    })())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;

    /// What only a build with published keys reads.
    const PUBLISHED_KEYS: [&str; 4] = ["JWKS", "JWKS_FILE", "JWKS_REFRESH", "JWKS_URL"];

    /// What the programs ask for, and what the manual has, is the same.
    #[test]
    fn every_setting_is_in_the_manual_and_every_one_there_is_read() {
        let vars = HashMap::from([
            ("BETTER_AUTH_SECRETS", "1:0b5f1c9e7a3d48626e2f9b04c7d1583a".to_owned()),
            ("BETTER_AUTH_URL", URL.to_owned()),
        ]);
        let mut asked: BTreeSet<&str> = PUBLISHED_KEYS.into();
        let mut reader = Reader::new(&vars);
        server::telemetry::init(&mut reader);
        assert!(read(&mut reader).expect("no file is read").is_some());
        asked.extend(reader.names_read());
        let mut reader = Reader::new(&vars);
        assert!(auth_service::Config::read(&mut reader).is_some());
        asked.extend(reader.names_read());
        let mut reader = Reader::new(&vars);
        assert!(task_service::Config::read(&mut reader).is_some());
        asked.extend(reader.names_read());
        assert_eq!(asked, shared::config::manual());
    }

    #[test]
    fn a_database_that_is_named_as_for_one_service_is_told() {
        let secret = ("BETTER_AUTH_SECRET", "0b5f1c9e7a3d48626e2f9b04c7d1583a");
        let unread = |more: &[(&'static str, &str)]| {
            let all = [&[secret], more].concat();
            let vars: HashMap<_, _> = all.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
            let mut reader = Reader::new(&vars);
            let pair = read(&mut reader).expect("no file is read");
            let unread = reader.unread();
            assert!(reader.finish(pair).is_ok());
            unread
        };
        let one = ("DATABASE_URL", "postgres://u:s3cret@h/d");
        let auth = ("AUTH_DATABASE_URL", "postgres://u@h/a");
        let tasks = ("TASK_DATABASE_URL", "postgres://u@h/t");
        for (set, times) in [
            (&[][..], 0),
            (&[one], 1),
            (&[one, auth], 1),
            (&[auth, tasks], 0),
            (&[one, auth, tasks], 0),
        ] {
            let told = unread(set);
            assert_eq!(told.len(), times, "{told:?}");
            assert!(told.iter().all(|told| told.contains("TASK_DATABASE_URL")), "{told:?}");
        }
    }
}
