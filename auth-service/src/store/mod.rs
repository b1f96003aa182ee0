//! The store of accounts and sessions: Better Auth's tables, on SQLite and PostgreSQL alike.
//!
//! Unlike tasks, accounts are looked up before the user is known, so there is no owner filter to
//! start from: each query is written out, and states its exception.

mod admin;
mod cleanup;
mod doctor;
mod erasures;
mod finished_erasures;
mod insert;
mod largest_id;
mod last_use;
mod layout;
mod linked_accounts;
mod mixed_case;
mod new_session;
mod precondition;
mod rate_limit;
mod restrictions;
mod session_cap;
mod sessions;
#[cfg(test)]
mod tests;
mod token_rotation;
mod users;

use chrono::{DateTime, Utc};
pub use sea_orm::DbErr as DatabaseError;
use sea_orm::{DbErr, Value};
use server::{
    audit_log::{Page, PageRequest, SecurityEvents},
    db::{Database, DatabaseUrl, Transaction, timestamp_value},
};

pub use self::{
    doctor::examine,
    erasures::NewErasure,
    last_use::Use,
    layout::{Differences, IdKind},
    linked_accounts::LinkedAccount,
    new_session::NewSession,
    precondition::{Precondition, PreconditionCheck},
    rate_limit::{Refunded, Wanted},
    restrictions::UserAccess,
    sessions::{Ended, Opening, Which},
    token_rotation::Rotated,
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
    /// The database cannot be reached or migrated.
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
    /// Connects and migrates. An unsupported layout is refused before anything is created.
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
        largest_id::record(database.writer(), layout).await?;
        let store = Self { database, layout, mixed_case: MixedCase::default() };
        store.read_mixed_case().await?;
        Ok(store)
    }

    /// The database, for readiness and closing.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Begins a transaction.
    async fn begin(&self) -> Result<Transaction, DbErr> {
        self.database.begin().await
    }

    /// The security events of all accounts.
    pub fn security_events(&self) -> SecurityEvents {
        SecurityEvents::new(self.database.clone())
    }

    /// The security events of a user, without those of an earlier user with this id.
    pub async fn security_events_of(
        &self,
        user: &user::Model,
        request: &PageRequest,
    ) -> Result<Page, DbErr> {
        let request = request.clone().since(user.created_at);
        self.security_events().list(&user.id, &request).await
    }

    /// A time as Better Auth stores it in this database.
    fn timestamp(&self, moment: DateTime<Utc>) -> Value {
        timestamp_value(self.database.backend(), moment)
    }
}
