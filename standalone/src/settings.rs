//! Settings of both services from one environment, with defaults that need none.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::Path,
    sync::Arc,
};

use shared::{
    auth::{Keyring, Secret, TokenKind, TokenPolicy, Trust},
    config::{Reader, Vars},
    db::DatabaseUrl,
    doctor::{self, Report},
    origin::Origin,
    serve::{self, Addresses},
};

use crate::secret;

/// Where the secret is kept if none was given.
const SECRET_FILE: &str = "data/secret";

/// Where a frontend would find this machine.
const URL: &str = "http://localhost:8000";

/// Where both services listen if nobody says otherwise.
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
        doctor::private(report, Path::new(SECRET_FILE), "the secret");
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
    let (keys, drawn) = keys(reader)?;
    let policy = policy(reader);
    let origin = Origin::read_own(reader, Some(URL));
    let longest = policy.as_ref().map(|policy| policy.max_lifetime);
    let accounts = auth_service::AccountSettings::read(reader, longest);
    if let Some(policy) = &policy {
        accounts.check(policy, reader);
    }
    let attempts = auth_service::AttemptSettings::read(reader);
    let auth = auth_database(reader);
    let tasks = task_database(reader);
    let server = serve::Settings::read(reader, ADDRESSES);
    let trash_retention = task_service::Config::read_trash_retention(reader);
    Ok((|| {
        let (keys, policy) = (keys?, policy?);
        Some(Pair {
            auth: auth_service::Config {
                keys: keys.clone(),
                policy: policy.clone(),
                origin,
                attempts,
                accounts,
                tasks: auth_service::TaskServiceAddress::Here,
                database: auth?,
                server: server.clone(),
            },
            tasks: task_service::Config {
                trust: Trust::Secrets(keys.clone()),
                keys,
                policy,
                database: tasks?,
                server,
                trash_retention,
                security_event_retention: accounts.security_event_retention,
            },
            drawn,
        })
    })())
}
