//! Better Auth's tables, on SQLite and PostgreSQL alike.
//!
//! Unlike tasks, accounts are looked up before anybody is known, so there is no owner
//! filter to start from: each query here is written out, and its exception stated.

mod examination;
mod insert;
mod largest_id;
mod layout;
mod linked;
mod operator;
mod sessions;
mod still;
#[cfg(test)]
mod tests;
mod users;

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{DatabaseTransaction, DbBackend, DbErr, Value};
use shared::db::{Database, DatabaseUrl};

pub use self::examination::examine;
pub use self::layout::IdKind;
use self::layout::{Layout, Schema};
pub use self::linked::LinkedAccount;
pub use self::sessions::{NewSession, Which};
pub use self::still::{Held, Still};
pub use self::users::{NewUser, UserPatch};
use crate::migration::Migrator;

/// The database of accounts and sessions.
#[derive(Clone)]
pub struct Store {
    database: Database,
    layout: Layout,
}

impl Store {
    /// Connects and brings the tables up to date. A database in a layout that calls could
    /// not work with is refused here, before anything is made in it.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, DbErr> {
        let database = Database::connect(url).await?;
        Layout::of(&Schema::read(&database).await?)?;
        database.migrate::<Migrator>().await?;
        let schema = Schema::read(&database).await?;
        let layout = Layout::of(&schema)?;
        for index in schema.missing_indexes() {
            tracing::warn!(index, "an index is missing in the tables of accounts");
        }
        largest_id::keep(database.writer(), layout).await?;
        Ok(Self { database, layout })
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
