//! Better Auth's tables, on SQLite and PostgreSQL alike.
//!
//! Unlike tasks, accounts are looked up before anybody is known, so there is no owner
//! filter to start from: each query here is written out, and its exception stated.

mod linked;
mod sessions;
mod still;
#[cfg(test)]
mod tests;
mod users;

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{DatabaseTransaction, DbBackend, DbErr, Value};
use shared::db::{Database, DatabaseUrl};

pub use self::linked::LinkedAccount;
pub use self::sessions::{NewSession, Which};
pub use self::still::{Held, Still};
pub use self::users::{NewUser, UserPatch};
use crate::migration::Migrator;

/// The database of accounts and sessions.
#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Connects and brings the tables up to date.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, DbErr> {
        let database = Database::connect(url).await?;
        database.migrate::<Migrator>().await?;
        let store = Self { database };
        store.probe().await?;
        Ok(store)
    }

    /// Asks each table once for what calls will ask. A database in another layout (snake
    /// case, ids that are no text) is refused here, not call by call.
    async fn probe(&self) -> Result<(), DbErr> {
        const NOBODY: &str = "-";
        self.user(NOBODY).await?;
        self.password_hash(NOBODY).await?;
        self.linked_accounts(NOBODY).await?;
        self.session_by_token([NOBODY.to_owned(), NOBODY.to_owned()]).await?;
        self.sessions(NOBODY, DateTime::UNIX_EPOCH).await.map(drop)
    }

    /// The handle, for readiness and closing.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Begins a change of several steps.
    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        self.database.begin().await
    }

    /// A moment as this database stores it.
    fn moment(&self, moment: DateTime<Utc>) -> Value {
        moment_value(self.database.backend(), moment)
    }
}

/// PostgreSQL has a type for it. On SQLite Better Auth compares text, so it must be
/// exactly its form: ISO 8601 with milliseconds and `Z`.
fn moment_value(backend: DbBackend, moment: DateTime<Utc>) -> Value {
    let moment = moment.trunc_subsecs(3);
    match backend {
        DbBackend::Postgres => moment.into(),
        _ => moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into(),
    }
}
