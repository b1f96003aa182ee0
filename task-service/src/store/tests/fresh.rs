//! A database of its own for every test, on either engine, that is gone afterwards.
//!
//! It knows nothing of tasks: whoever tests against a database can use it.

use std::path::PathBuf;

use sea_orm::{ConnectionTrait, Database as Driver, DatabaseConnection};
use shared::{
    config::{Env, Vars},
    db::DatabaseUrl,
};
use uuid::Uuid;

const DEFAULT_SERVER: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// A database nobody has used before.
pub struct Fresh {
    /// Its address.
    pub url: DatabaseUrl,
    place: Place,
}

enum Place {
    Folder(PathBuf),
    Server { administrator: DatabaseConnection, name: String },
}

impl Fresh {
    /// A SQLite file in a new folder among the system's temporary files.
    pub fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(format!("fresh-{}", Uuid::now_v7()));
        let url = format!("sqlite://{}/test.db", folder.display());
        Self { url: DatabaseUrl::parse(&url, 8).expect("an address"), place: Place::Folder(folder) }
    }

    /// A database on the PostgreSQL server at `TEST_DATABASE_URL`; `None` if none answers
    /// there, unless `REQUIRE_POSTGRES=1` makes that a failure.
    #[expect(clippy::print_stderr, reason = "half a test run must not look like a whole one")]
    pub async fn postgres() -> Option<Self> {
        let server = Env.var("TEST_DATABASE_URL").unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let administrator = match Driver::connect(&server).await {
            Ok(administrator) => administrator,
            Err(error) => {
                let required = Env.var("REQUIRE_POSTGRES").is_some_and(|value| value == "1");
                assert!(!required, "REQUIRE_POSTGRES=1, but no server answers: {error}");
                eprintln!("no PostgreSQL server answers: tested on SQLite only");
                return None;
            }
        };
        let name = format!("fresh_{}", Uuid::now_v7().simple());
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        administrator.execute_unprepared(&create).await.expect("a database");
        let (server, query) = server.split_once('?').unwrap_or((&server, ""));
        let (server, _) = server.rsplit_once('/').expect("an address with a database");
        let url = DatabaseUrl::parse(&format!("{server}/{name}?{query}"), 8).expect("an address");
        Some(Self { url, place: Place::Server { administrator, name } })
    }

    /// Drops the database, also if somebody is still connected.
    pub async fn remove(self) {
        match self.place {
            Place::Folder(folder) => std::fs::remove_dir_all(folder).expect("the folder"),
            Place::Server { administrator, name } => {
                let drop = format!("DROP DATABASE {name} WITH (FORCE)");
                administrator.execute_unprepared(&drop).await.expect("the database");
                administrator.close().await.expect("closed");
            }
        }
    }
}
