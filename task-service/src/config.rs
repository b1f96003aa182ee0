//! The settings of the service.

use std::{path::PathBuf, sync::Arc, time::Duration};

use server::{
    Addresses, Settings,
    cli::server_settings,
    db::{DatabaseUrl, ListenAddress, database_url},
    tls::{ClientNames, TLS_CLIENT_CA_FILE},
};
use shared::{
    auth::{Keyring, TokenKind, TokenPolicy, Trust, token_settings, verifier_settings},
    config::{Faults, Reader, Row, Setting, Vars, time_span},
    origin::BETTER_AUTH_URL,
};

use crate::domain::quota::{self, Quota};

/// The addresses of this service.
pub const ADDRESSES: Addresses = Addresses::by_default("127.0.0.1:50052", "127.0.0.1:8002");

/// The database of tasks.
const DATABASE_URL: Setting<DatabaseUrl> = database_url("sqlite://data/tasks.db");

/// The database of tasks, in a program that has others as well.
pub const TASK_DATABASE_URL: Setting<DatabaseUrl> =
    DATABASE_URL.named("TASK_DATABASE_URL", "Data", "the database of tasks");

shared::settings! {
    /// The settings of stored tasks, beside their quota.
    const STORAGE: "Data";

    DATABASE_LISTEN_URL: ListenAddress = Setting::computed(
        "the address of the database",
        ListenAddress::default,
        ListenAddress::parse,
    ), "PostgreSQL itself, for notifications where a pooler is in front; or `off`: replicas poll";
    SPOOL_DIR: PathBuf = Setting::computed(
        "`TMPDIR`, or `/tmp`",
        std::env::temp_dir,
        |text| Ok(PathBuf::from(text)),
    ), "where large imports are buffered";
    TRASH_RETENTION: Duration = Setting::new("30d", time_span),
        "how long a deleted task can be restored";
}

shared::settings! {
    /// The settings of the rpcs for other services.
    const ADMIN: "Server";

    TLS_ADMIN_CLIENT_NAMES: ClientNames = Setting::new("any", ClientNames::parse),
        "names of the client certificates that may call TaskAdminService, or `any`, and none";
}

/// All settings. They hold a secret, so there is no `Debug`.
pub struct Config {
    /// The keys of service tokens, and by default of access tokens.
    pub keys: Arc<Keyring>,
    /// The trusted issuers of access tokens.
    pub trust: Trust,
    /// The checks of a token beside its signature.
    pub policy: TokenPolicy,
    /// The database of tasks.
    pub database: DatabaseUrl,
    /// The quota of each user.
    pub quota: Quota,
    /// The folder of import spools.
    pub spool_dir: PathBuf,
    /// The client certificates that may call the rpcs for other services.
    pub admin_clients: ClientNames,
    /// The settings of the server.
    pub server: Settings,
    /// The retention of deleted tasks.
    pub trash_retention: Duration,
    /// The retention of security events.
    pub security_event_retention: Duration,
}

impl Config {
    /// Reads all settings; `None` after a fault, which `reader` has.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Option<Self> {
        let kind = TokenKind::read(reader);
        let keys = kind.read_keys(reader).map(Arc::new);
        let policy = kind.read_policy(reader, &BETTER_AUTH_URL);
        let trust = keys.as_ref().and_then(|keys| kind.read_trust(reader, keys));
        let database = Self::read_database(reader);
        let quota = Quota::read(reader);
        let spool_dir = Self::read_spool_dir(reader);
        let server = Settings::read(reader, &ADDRESSES);
        let admin_clients = reader.get(&TLS_ADMIN_CLIENT_NAMES);
        if admin_clients.are_listed() && !reader.is_set(&TLS_CLIENT_CA_FILE) {
            reader.fault(&TLS_ADMIN_CLIENT_NAMES, "needs TLS_CLIENT_CA_FILE");
        }
        let trash_retention = Self::read_trash_retention(reader);
        let security_event_retention = server::audit_log::read_retention(reader);
        Some(Self {
            keys: keys?,
            trust: trust?,
            policy: policy?,
            database: database?,
            quota,
            spool_dir,
            admin_clients,
            server,
            trash_retention,
            security_event_retention,
        })
    }

    /// Reads `DATABASE_URL` and its like, which is all that a command on the database needs.
    pub fn read_database(reader: &mut Reader<'_, impl Vars>) -> Option<DatabaseUrl> {
        reader.read_elsewhere(&TASK_DATABASE_URL, &[DATABASE_URL.row()]);
        Self::read_database_at(reader, &DATABASE_URL)
    }

    /// Reads the database of tasks from `address`, and `DATABASE_LISTEN_URL`.
    pub fn read_database_at(
        reader: &mut Reader<'_, impl Vars>,
        address: &Setting<DatabaseUrl>,
    ) -> Option<DatabaseUrl> {
        let listen = reader.get(&DATABASE_LISTEN_URL);
        let database = DatabaseUrl::read(reader, address)?;
        if listen.is_set() && database.file().is_some() {
            reader.fault(&DATABASE_LISTEN_URL, "is for PostgreSQL: SQLite has one process");
        }
        Some(database.listening_at(listen))
    }

    /// Reads `SPOOL_DIR`; by default the system's temporary folder (`TMPDIR`).
    pub fn read_spool_dir(reader: &mut Reader<'_, impl Vars>) -> PathBuf {
        reader.get(&SPOOL_DIR)
    }

    /// Reads `TRASH_RETENTION`.
    pub fn read_trash_retention(reader: &mut Reader<'_, impl Vars>) -> Duration {
        reader.get(&TRASH_RETENTION)
    }

    /// The rows of what [`read`](Self::read) reads.
    #[must_use]
    pub fn rows() -> Vec<Row> {
        let data = [vec![DATABASE_URL.row()], Self::storage_rows()].concat();
        let server = [server_settings(&ADDRESSES), ADMIN.to_vec()].concat();
        [token_settings(&BETTER_AUTH_URL), verifier_settings(), data, server].concat()
    }

    /// The rows of those that concern stored tasks.
    #[must_use]
    pub fn storage_rows() -> Vec<Row> {
        [quota::SETTINGS, STORAGE].concat()
    }

    /// Reads all settings from `vars`, or returns all faults.
    pub fn from_vars(vars: &impl Vars) -> Result<Self, Faults> {
        let mut reader = Reader::new(vars);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_secret_and_an_address_are_enough() {
        let vars = HashMap::from([
            ("BETTER_AUTH_SECRET", "0b5f1c9e7a3d48626e2f9b04c7d1583a".to_owned()),
            ("BETTER_AUTH_URL", "http://localhost:3000".to_owned()),
        ]);
        let address = Config::from_vars(&vars).map(|config| config.server.grpc_addr);
        assert_eq!(address, Ok(ADDRESSES.grpc.default()));
    }

    #[test]
    fn certificates_can_be_listed_only_where_they_are_asked_for() {
        let vars = HashMap::from([
            ("BETTER_AUTH_SECRET", "0b5f1c9e7a3d48626e2f9b04c7d1583a".to_owned()),
            ("BETTER_AUTH_URL", "http://localhost:3000".to_owned()),
            ("TLS_ADMIN_CLIENT_NAMES", "auth.internal".to_owned()),
        ]);
        let faults = Config::from_vars(&vars).err().expect("a fault");
        assert_eq!(faults.to_string(), "TLS_ADMIN_CLIENT_NAMES needs TLS_CLIENT_CA_FILE");
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let vars = HashMap::from([
            ("DATABASE_URL", "mysql://h/d".to_owned()),
            ("GRPC_ADDR", "here".to_owned()),
        ]);
        let faults = Config::from_vars(&vars).err().expect("faults");
        let names: Vec<_> = faults.0.iter().map(|fault| fault.name).collect();
        assert_eq!(names, ["BETTER_AUTH_SECRET", "BETTER_AUTH_URL", "DATABASE_URL", "GRPC_ADDR"]);
    }
}
