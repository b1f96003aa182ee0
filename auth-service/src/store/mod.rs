//! Better Auth's tables, on SQLite and PostgreSQL alike.
//!
//! Unlike tasks, accounts are looked up before anybody is known, so there is no owner
//! filter to start from: each query here is written out, and its exception stated.

mod attempts;
mod ended;
mod erasures;
mod examination;
mod finished_erasures;
mod insert;
mod largest_id;
mod last_use;
mod layout;
mod linked;
mod mixed_case;
mod new_session;
mod operator;
mod restrictions;
mod room;
mod rotation;
mod sessions;
mod still;
#[cfg(test)]
mod tests;
mod users;

use chrono::{DateTime, Utc};
pub use sea_orm::DbErr as DatabaseError;
use sea_orm::{DbErr, Value};
use server::{
    audit_log::{Page, PageRequest, SecurityEvents},
    db::{Database, DatabaseUrl, Transaction, timestamp_value},
};

pub use self::{
    attempts::Taken,
    erasures::NewErasure,
    examination::examine,
    last_use::Use,
    layout::{Differences, IdKind},
    linked::LinkedAccount,
    new_session::NewSession,
    restrictions::UserAccess,
    rotation::Rotated,
    sessions::{Ended, Opening, Which},
    still::{Held, Still},
    users::{NewUser, UserPatch},
};
use self::{
    layout::{Layout, Schema},
    mixed_case::MixedCase,
};
use crate::{entity::user, migration::Migrator};

/// Why the database of accounts cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached, or its tables not brought up to date.
    #[error("cannot open the database of accounts")]
    Database(#[from] DbErr),
    /// The tables are not as Better Auth's own migration makes them.
    #[error("the tables of accounts cannot be used")]
    Tables(#[from] Differences),
}

/// The database of accounts and sessions.
#[derive(Clone)]
pub struct Store {
    database: Database,
    layout: Layout,
    mixed_case: MixedCase,
}

impl Store {
    /// Connects and brings the tables up to date. A database in a layout that calls could
    /// not work with is refused here, before anything is made in it.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let database = Database::connect(url).await?;
        Layout::of(&Schema::read(&database).await?)?;
        database.migrate::<Migrator>().await?;
        let schema = Schema::read(&database).await?;
        let layout = Layout::of(&schema)?;
        for index in schema.missing_indexes() {
            tracing::warn!(index, "an index is missing in the tables of accounts");
        }
        for column in layout.restrictions.honoured() {
            tracing::info!(column, "a column that takes access away is honoured");
        }
        for column in schema.unhonoured() {
            tracing::warn!(
                column,
                "a column of `user` looks as if it took access away; it is not honoured"
            );
        }
        largest_id::keep(database.writer(), layout).await?;
        let store = Self { database, layout, mixed_case: MixedCase::default() };
        store.read_mixed_case().await?;
        Ok(store)
    }

    /// The handle, for readiness and closing.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Begins a change of several steps.
    async fn begin(&self) -> Result<Transaction, DbErr> {
        self.database.begin().await
    }

    /// What happened to accounts.
    pub fn security_events(&self) -> SecurityEvents {
        SecurityEvents::new(self.database.clone())
    }

    /// What happened to the account of a user, and not to one that had its id before.
    pub async fn security_events_of(
        &self,
        user: &user::Model,
        request: &PageRequest,
    ) -> Result<Page, DbErr> {
        let request = request.clone().since(user.created_at);
        self.security_events().list(&user.id, &request).await
    }

    /// A moment as this database stores it, which is how Better Auth compares it.
    fn moment(&self, moment: DateTime<Utc>) -> Value {
        timestamp_value(self.database.backend(), moment)
    }
}
