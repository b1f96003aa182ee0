//! Settings of both services from one environment, with defaults that need none.

use std::{io, path::Path, sync::Arc};

use auth_service::{AUTH_DATABASE_URL, DATABASE_URL};
use server::{
    Addresses,
    cli::{
        doctor::{self, Report},
        server_settings,
    },
    db::DatabaseUrl,
    tls::ClientNames,
};
use shared::{
    auth::{BETTER_AUTH_SECRET, Keyring, Secret, TokenKind, TokenPolicy, Trust, token_settings},
    config::{Fallback, Reader, Row, Setting, Vars},
    origin::{self, Origin},
};
use task_service::TASK_DATABASE_URL;

use crate::secret;

/// Where the secret is kept if none was given.
const SECRET_FILE: &str = "data/secret";

/// Where a frontend would find this machine.
const BETTER_AUTH_URL: Setting<Option<Origin>> =
    origin::BETTER_AUTH_URL.by_default("http://localhost:8000");

/// The addresses of both services.
pub const ADDRESSES: Addresses = Addresses {
    grpc: auth_service::ADDRESSES.grpc,
    http: auth_service::ADDRESSES.http.by_default("127.0.0.1:8000"),
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
    if !Keyring::is_set(reader) && !Path::new(SECRET_FILE).exists() {
        let fault = format!("is not set and {SECRET_FILE} is not here: start the server first");
        reader.fault(&BETTER_AUTH_SECRET, fault);
        return Ok(None);
    }
    keys(reader).map(|(keys, _)| keys)
}

/// The secrets in use, and the file of one that was drawn just now.
fn keys(
    reader: &mut Reader<'_, impl Vars>,
) -> io::Result<(Option<Arc<Keyring>>, Option<&'static str>)> {
    if Keyring::is_set(reader) {
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
            reader.fault(&BETTER_AUTH_SECRET, fault);
            Ok((None, None))
        }
    }
}

/// Notes who can read the secret, where it is kept in a file.
pub fn examine_secret_file(reader: &Reader<'_, impl Vars>, report: &mut Report) {
    if !Keyring::is_set(reader) {
        doctor::file_access(report, Path::new(SECRET_FILE), "the secret");
    }
}

/// The rules for tokens.
pub fn policy(reader: &mut Reader<'_, impl Vars>) -> Option<TokenPolicy> {
    TokenPolicy::read(reader, &BETTER_AUTH_URL)
}

/// Where the accounts are.
pub fn auth_database(reader: &mut Reader<'_, impl Vars>) -> Option<DatabaseUrl> {
    DatabaseUrl::read(reader, &AUTH_DATABASE_URL)
}

/// Where the tasks are.
pub fn task_database(reader: &mut Reader<'_, impl Vars>) -> Option<DatabaseUrl> {
    task_service::Config::read_database_at(reader, &TASK_DATABASE_URL)
}

/// The rows of what [`read`] reads.
pub fn rows() -> Vec<Row> {
    let mut tokens = token_settings(&BETTER_AUTH_URL);
    for row in &mut tokens {
        if row.name == BETTER_AUTH_SECRET.name {
            row.default = Fallback::Described("created in `data/secret`");
        }
    }
    let accounts = auth_service::AccountSettings::rows();
    let limits = auth_service::RateLimitSettings::rows().to_vec();
    let data = vec![AUTH_DATABASE_URL.row(), TASK_DATABASE_URL.row()];
    let storage = task_service::Config::storage_rows();
    [tokens, accounts, limits, data, storage, server_settings(&ADDRESSES)].concat()
}

/// Reads the settings of both. `DATABASE_URL` would put both into one database, so each
/// has its own variable here.
pub fn read(reader: &mut Reader<'_, impl Vars>) -> io::Result<Option<Pair>> {
    TokenKind::refuse_others(reader);
    let apart = [AUTH_DATABASE_URL.row(), TASK_DATABASE_URL.row()];
    reader.read_elsewhere(&DATABASE_URL, &apart);
    let (keys, drawn) = keys(reader)?;
    let policy = policy(reader);
    let origin = Origin::read_own(reader, &BETTER_AUTH_URL);
    let longest = policy.as_ref().map(|policy| policy.max_lifetime);
    let accounts = auth_service::AccountSettings::read(reader, longest);
    if let Some(policy) = &policy {
        accounts.check(policy, reader);
    }
    let rate_limit = auth_service::RateLimitSettings::read(reader);
    let auth = auth_database(reader);
    let tasks = task_database(reader);
    let server = server::Settings::read(reader, &ADDRESSES);
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
                // Calls within the process have no certificate.
                admin_clients: ClientNames::default(),
                server,
                trash_retention,
                security_event_retention: accounts.security_event_retention,
            },
            drawn,
        })
    })())
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
