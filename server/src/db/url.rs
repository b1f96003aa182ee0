//! The address of a database, as settings spell it.

use std::path::Path;

use sea_orm::DbBackend;
use shared::config::{Reader, Setting, Vars, number};

use super::servers;
use crate::storage::MinFree;

/// The addresses, in the fault of a text that is none.
pub(super) const ADDRESSES: &str =
    "must be `sqlite://path/to/file.db` or `postgres://user:password@host:port/name`";

shared::settings! {
    /// The settings of every database.
    pub const SETTINGS: "Data";

    DATABASE_MAX_CONNECTIONS: u32 = Setting::new("8", |text| number(text, 1..=1000)),
        "PostgreSQL connections of one process; task-service takes one more for notifications";
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
}

impl DatabaseUrl {
    /// Reads the address, `DATABASE_MAX_CONNECTIONS` (PostgreSQL only) and `STORAGE_MIN_FREE`
    /// (SQLite only).
    pub fn read(reader: &mut Reader<'_, impl Vars>, address: &Setting<Self>) -> Option<Self> {
        let connections = reader.get(&DATABASE_MAX_CONNECTIONS);
        let min_free = MinFree::read(reader);
        reader.valid(address).map(|url| Self { connections, min_free, ..url })
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
                servers::check(url)?;
                DbBackend::Postgres
            }
            _ => {
                return Err(ADDRESSES.to_owned());
            }
        };
        Ok(Self { url: url.to_owned(), backend, connections, min_free: MinFree::default() })
    }

    /// The database, with this much of its disk kept free.
    #[must_use]
    pub fn keeping_free(self, min_free: MinFree) -> Self {
        Self { min_free, ..self }
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
