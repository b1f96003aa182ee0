//! The address of a database, as settings spell it.

use std::{path::Path, time::Duration};

use sea_orm::{DbBackend, DbErr, SqlxError};
use shared::config::{Reader, Setting, Vars, number, time_span};

use super::{
    connector::{Connector, connection_error},
    notifications::ListenAddress,
    pooler::{Detection, Pooler},
    server_address,
    servers::Servers,
};
use crate::storage::MinFree;

/// The addresses, in the fault of a text that is none.
pub(super) const ADDRESSES: &str =
    "must be `sqlite://path/to/file.db` or `postgres://user:password@host:port/name`";

shared::settings! {
    /// The settings of every database.
    pub const SETTINGS: "Data";

    DATABASE_MAX_CONNECTIONS: u32 = Setting::new("8", |text| number(text, 1..=1000)),
        "PostgreSQL connections of one process; task-service takes one more for notifications";
    DATABASE_MAX_LIFETIME: Duration = Setting::new("10m", time_span).checked(|lifetime| {
        (*lifetime < Duration::from_secs(1)).then_some("must be at least 1s")
    }), "how long a PostgreSQL connection is used; up to a tenth less, so that not all end at once";
    DATABASE_POOLER: Pooler = Setting::new("auto", Pooler::parse),
        "the mode of a pooler such as PgBouncer: `auto` (whether there is one shows), `session`, `transaction`";
}

/// `DATABASE_URL`, with the default of a program.
#[must_use]
pub const fn database_url(default: &'static str) -> Setting<DatabaseUrl> {
    let setting = Setting::new(default, DatabaseUrl::parse_setting);
    let meaning = "one database for each service: `sqlite://…` or `postgres://…`";
    setting.named("DATABASE_URL", "Data", meaning)
}

/// The address of a database. It can hold a password, so it has no `Debug`.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(super) url: String,
    pub(super) backend: DbBackend,
    pub(super) connections: u32,
    pub(super) min_free: MinFree,
    pub(super) max_lifetime: Duration,
    pub(super) detection: Detection,
    pub(super) listen: ListenAddress,
}

impl DatabaseUrl {
    /// Reads the address, `DATABASE_MAX_CONNECTIONS`, `DATABASE_MAX_LIFETIME` and `DATABASE_POOLER`
    /// (PostgreSQL only), and `STORAGE_MIN_FREE` (SQLite only).
    pub fn read(reader: &mut Reader<'_, impl Vars>, address: &Setting<Self>) -> Option<Self> {
        let connections = reader.get(&DATABASE_MAX_CONNECTIONS);
        let max_lifetime = reader.get(&DATABASE_MAX_LIFETIME);
        let pooler = reader.get(&DATABASE_POOLER);
        let min_free = MinFree::read(reader);
        let url = reader.valid(address)?.behind(pooler);
        Some(Self { connections, min_free, max_lifetime, ..url })
    }

    fn parse_setting(text: &str) -> Result<Self, String> {
        Self::parse(text, 1)
    }

    /// `sqlite://path/to/file.db` or `postgres://user:password@host:port/name`, which may have
    /// several hosts and no parameter that is not understood.
    pub fn parse(url: &str, connections: u32) -> Result<Self, String> {
        let backend = match url.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() && !path.starts_with(':') => {
                DbBackend::Sqlite
            }
            Some(("postgres" | "postgresql", _)) => {
                server_address::check(url)?;
                DbBackend::Postgres
            }
            _ => {
                return Err(ADDRESSES.to_owned());
            }
        };
        Ok(Self {
            url: url.to_owned(),
            backend,
            connections,
            min_free: MinFree::default(),
            max_lifetime: DATABASE_MAX_LIFETIME.default(),
            detection: Detection::new(Pooler::Detect),
            listen: ListenAddress::default(),
        })
    }

    /// The servers of a PostgreSQL database.
    pub(super) fn servers(&self) -> Result<Servers, SqlxError> {
        Servers::parse(&self.url, self.detection.clone())
    }

    /// The database, with this much of its disk kept free.
    #[must_use]
    pub fn keeping_free(self, min_free: MinFree) -> Self {
        Self { min_free, ..self }
    }

    /// The database, behind such a pooler.
    #[must_use]
    pub fn behind(self, pooler: Pooler) -> Self {
        Self { detection: Detection::new(pooler), ..self }
    }

    /// The database, with notifications received at `listen`.
    #[must_use]
    pub fn listening_at(self, listen: ListenAddress) -> Self {
        Self { listen, ..self }
    }

    /// The servers to listen at for notifications, of a database with this connector.
    pub(super) fn listen_servers(&self, connector: &Connector) -> Result<Option<Servers>, DbErr> {
        match (connector, &self.listen) {
            (Connector::Postgres { servers, .. }, ListenAddress::Database) => {
                Ok(Some(servers.clone()))
            }
            (Connector::Postgres { .. }, ListenAddress::Other(address)) => {
                Servers::parse(address, Detection::new(Pooler::Detect))
                    .map(Some)
                    .map_err(connection_error)
            }
            _ => Ok(None),
        }
    }

    /// The free space to keep on the disk of a SQLite database.
    #[must_use]
    pub fn min_free(&self) -> MinFree {
        self.min_free
    }

    /// The file of a SQLite database.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        let path = self.url.strip_prefix("sqlite://")?;
        Some(Path::new(path.split('?').next().unwrap_or(path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_two_databases_are_accepted() {
        for good in ["sqlite://data/a.db", "sqlite:///var/a.db", "postgres://u:p@h:1/d"] {
            assert!(DatabaseUrl::parse(good, 8).is_ok(), "{good}");
        }
        for bad in [
            "",
            "data/a.db",
            "mysql://u:p@h/d",
            "sqlite://",
            "sqlite://:memory:",
            "postgres://u:p@bad host/d",
            "postgres://u:p@h:pw/d",
        ] {
            assert!(DatabaseUrl::parse(bad, 8).is_err(), "{bad}");
        }
    }
}
