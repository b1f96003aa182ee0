//! The settings of the service.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use server::{Addresses, Settings, db::DatabaseUrl};
use shared::{
    auth::{Keyring, TokenKind, TokenPolicy, Trust},
    config::{Faults, Reader, Vars},
};

use crate::domain::quota::Quota;

/// The default addresses.
pub const ADDRESSES: Addresses = Addresses { grpc: local(50052), http: local(8002) };

const fn local(port: u16) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
}

/// The default of `DATABASE_URL`.
const DEFAULT_DATABASE: &str = "sqlite://data/tasks.db";

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
    /// The settings of the server.
    pub server: Settings,
    /// The retention of deleted tasks.
    pub trash_retention: Duration,
    /// The retention of security events.
    pub security_event_retention: Duration,
}

/// The default of `TRASH_RETENTION`.
const DEFAULT_TRASH_RETENTION: Duration = Duration::from_hours(30 * 24);

impl Config {
    /// Reads all settings; `None` after a fault, which `reader` has.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Option<Self> {
        let kind = TokenKind::read(reader);
        let keys = kind.read_keys(reader).map(Arc::new);
        let policy = kind.read_policy(reader, None);
        let trust = keys.as_ref().and_then(|keys| kind.read_trust(reader, keys));
        let database = Self::read_database(reader);
        let quota = Quota::read(reader);
        let spool_dir = Self::read_spool_dir(reader);
        let server = Settings::read(reader, ADDRESSES);
        let trash_retention = Self::read_trash_retention(reader);
        let security_event_retention = server::audit_log::read_retention(reader);
        Some(Self {
            keys: keys?,
            trust: trust?,
            policy: policy?,
            database: database?,
            quota,
            spool_dir,
            server,
            trash_retention,
            security_event_retention,
        })
    }

    /// Reads `DATABASE_URL`, which is all that a command on the database needs.
    pub fn read_database(reader: &mut Reader<'_, impl Vars>) -> Option<DatabaseUrl> {
        reader.read_elsewhere("TASK_DATABASE_URL", &["DATABASE_URL"]);
        DatabaseUrl::read(reader, DEFAULT_DATABASE)
    }

    /// Reads `SPOOL_DIR`; by default the system's temporary folder (`TMPDIR`).
    pub fn read_spool_dir(reader: &mut Reader<'_, impl Vars>) -> PathBuf {
        reader.text("SPOOL_DIR").map_or_else(std::env::temp_dir, PathBuf::from)
    }

    /// Reads `TRASH_RETENTION`.
    pub fn read_trash_retention(reader: &mut Reader<'_, impl Vars>) -> Duration {
        reader.duration("TRASH_RETENTION", DEFAULT_TRASH_RETENTION)
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
        assert_eq!(address, Ok(ADDRESSES.grpc));
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
