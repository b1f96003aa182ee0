//! Where the service finds its secret, its database and its port.

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

use crate::quota::Quota;

/// Where the service listens if nobody says otherwise.
pub const ADDRESSES: Addresses = Addresses { grpc: local(50052), http: local(8002) };

const fn local(port: u16) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
}

/// Where tasks are kept if nobody says otherwise.
const DEFAULT_DATABASE: &str = "sqlite://data/tasks.db";

/// All there is to set. It holds a secret, so it has no `Debug`. Whoever has the parts
/// already may put one together.
pub struct Config {
    /// The secrets that tokens between services are signed with, and mostly access tokens.
    pub keys: Arc<Keyring>,
    /// Whose access tokens are accepted.
    pub trust: Trust,
    /// Which tokens are accepted beyond a good signature.
    pub policy: TokenPolicy,
    /// Where tasks are kept.
    pub database: DatabaseUrl,
    /// How much one user may have.
    pub quota: Quota,
    /// Where imports are held back.
    pub spool_dir: PathBuf,
    /// Where and how to serve.
    pub server: Settings,
    /// How long a deleted task can be taken back.
    pub trash_retention: Duration,
    /// How long it is kept what happened in users' names.
    pub security_event_retention: Duration,
}

/// How long a deleted task can be taken back if nobody says otherwise.
const DEFAULT_TRASH_RETENTION: Duration = Duration::from_hours(30 * 24);

impl Config {
    /// Reads everything; `None`: at least one fault was noted.
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

    /// Reads `SPOOL_DIR`; else it is where the system keeps what is temporary (`TMPDIR`).
    pub fn read_spool_dir(reader: &mut Reader<'_, impl Vars>) -> PathBuf {
        reader.text("SPOOL_DIR").map_or_else(std::env::temp_dir, PathBuf::from)
    }

    /// Reads `TRASH_RETENTION`.
    pub fn read_trash_retention(reader: &mut Reader<'_, impl Vars>) -> Duration {
        reader.duration("TRASH_RETENTION", DEFAULT_TRASH_RETENTION)
    }

    /// Reads everything from `vars`, or tells everything that is wrong.
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
