//! Accounts whose stored e-mail has capitals. This service and Better Auth write lower case,
//! but imports and older releases did not, and the index on the column finds a spelling only.
//!
//! These accounts are few, so their e-mails are kept in memory. They are read at start and,
//! as other programs write to the table, again when a look-up finds them old. A scan of the
//! table is dear where it is large, so how old that is follows from what the last one cost.
//! Every look-up asks alike, so that its time does not tell whether there is an account.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use shared::db::Database;

use super::Store;
use crate::{email::Email, entity::user};

/// How many are kept: some ten megabytes.
const MOST: usize = 100_000;

/// The time between two scans is at least so many times what one takes.
const SHARE: u32 = 100;

/// A look-up waits for a scan that takes no longer. A longer one is for those that follow.
const SHORT: Duration = Duration::from_millis(50);

/// How many are asked about at a time.
const BATCH: usize = 500;

/// The ids of these accounts, by e-mails in lower case.
pub type Ids = HashMap<String, Vec<String>>;

/// What is known of these accounts.
#[derive(Clone, Default)]
pub struct MixedCase {
    known: Arc<Mutex<Known>>,
    /// Held by who reads them anew.
    reading: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Known {
    ids: Arc<Ids>,
    /// When it was read, and how long that took.
    read: Option<(Instant, Duration)>,
}

/// What an operator is to know about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spellings {
    /// Accounts whose stored e-mail has capitals.
    pub accounts: usize,
    /// Addresses with several accounts, whose e-mails differ in case alone.
    pub shared: usize,
    /// There are more than are kept.
    pub is_partial: bool,
}

impl MixedCase {
    /// The ids of accounts with this e-mail, which is in lower case, in another spelling.
    async fn ids(&self, database: &Database, email: &str) -> Vec<String> {
        if self.is_old()
            && let Ok(reading) = self.reading.clone().try_lock_owned()
            && self.is_old()
        {
            if self.known().read.is_some_and(|(_, took)| took > SHORT) {
                let (this, database) = (self.clone(), database.clone());
                tokio::spawn(async move {
                    this.read(&database).await;
                    drop(reading);
                });
            } else {
                self.read(database).await;
            }
        }
        self.known().ids.get(email).cloned().unwrap_or_default()
    }

    /// Reads them, and tells whether that worked. What was known stays otherwise.
    pub async fn read(&self, database: &Database) -> bool {
        let began = Instant::now();
        let ids = read(database).await;
        let mut known = self.known();
        known.read = Some((Instant::now(), began.elapsed()));
        match ids {
            Ok(ids) => {
                known.ids = Arc::new(ids);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "cannot look for e-mails with capitals");
                false
            }
        }
    }

    fn is_old(&self) -> bool {
        let read = self.known().read;
        read.is_none_or(|(at, took)| at.elapsed() >= took.saturating_mul(SHARE))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the stored e-mail has capitals. PostgreSQL's own rule for case depends on the
/// language of the database, which can have an `I` without a dot.
fn has_capitals(backend: DbBackend) -> Expr {
    Expr::cust(match backend {
        DbBackend::Postgres => {
            r#"CAST("email" AS text) <> lower(CAST("email" AS text) COLLATE "C")"#
        }
        _ => r#""email" <> lower("email")"#,
    })
}

/// All of them, up to one more than are kept.
#[expect(clippy::disallowed_methods, reason = "it reads e-mails, and gives none of them away")]
pub async fn read(database: &Database) -> Result<Ids, DbErr> {
    let query = Query::select()
        .expr(Expr::col(user::Column::Id).cast_as("text"))
        .expr(Expr::col(user::Column::Email).cast_as("text"))
        .from(user::Entity)
        .and_where(has_capitals(database.backend()))
        .limit(MOST as u64 + 1)
        .take();
    let mut ids = Ids::new();
    for row in database.reader().query_all(&query).await? {
        let (id, email): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        ids.entry(email.to_ascii_lowercase()).or_default().push(id);
    }
    Ok(ids)
}

/// What an operator is to know about `ids`.
#[expect(clippy::disallowed_methods, reason = "it counts, and gives nobody's row away")]
pub async fn spellings(database: &Database, ids: &Ids) -> Result<Spellings, DbErr> {
    let accounts = ids.values().map(Vec::len).sum();
    let mut shared = ids.values().filter(|ids| ids.len() > 1).count();
    let single: Vec<_> =
        ids.iter().filter(|(_, ids)| ids.len() == 1).map(|(email, _)| email).collect();
    for emails in single.chunks(BATCH) {
        let plain = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::Email.is_in(emails.iter().copied()));
        shared += plain.into_tuple::<String>().all(database.reader()).await?.len();
    }
    Ok(Spellings { accounts, shared, is_partial: accounts > MOST })
}

impl Store {
    /// Reads the e-mails with capitals for the first time, and says what is odd about them.
    pub(super) async fn read_mixed_case(&self) -> Result<(), DbErr> {
        if !self.mixed_case.read(&self.database).await {
            return Ok(());
        }
        let ids = self.mixed_case.known().ids.clone();
        let found = spellings(&self.database, &ids).await?;
        if found.accounts > 0 {
            tracing::info!(
                accounts = found.accounts,
                "accounts have capitals in their e-mail; they are found in any spelling"
            );
        }
        if found.shared > 0 {
            tracing::warn!(
                addresses = found.shared,
                "several accounts have one address but for its case; each signs in with its exact spelling"
            );
        }
        if found.is_partial {
            tracing::warn!(
                kept = MOST,
                "too many accounts have capitals in their e-mail; the rest is found by exact spelling alone"
            );
        }
        Ok(())
    }

    /// Whether `user.id` is that of an account with this e-mail, which is in lower case, in
    /// another spelling; `None`: there is none.
    pub(super) async fn is_spelt_otherwise(&self, email: &str) -> Option<Expr> {
        let ids = self.mixed_case.ids(&self.database, email).await;
        let is = |id: String| self.layout.user.is(user::Column::Id, &id);
        ids.into_iter().map(is).reduce(Expr::or)
    }

    /// Whether a user has this e-mail, or had it lately, whatever the case of either.
    pub(super) async fn is_email(&self, email: &Email) -> Expr {
        let spelt = user::Column::Email.is_in([email.as_str(), email.as_given()]);
        match self.is_spelt_otherwise(email.as_str()).await {
            Some(otherwise) => spelt.or(otherwise),
            None => spelt,
        }
    }

    /// The users with this e-mail, whatever the case of either.
    #[expect(clippy::disallowed_methods, reason = "sign-in asks before anybody is known")]
    pub(super) async fn users_by_email(&self, email: &Email) -> Result<Vec<user::Model>, DbErr> {
        let condition = self.is_email(email).await;
        let users = user::Entity::find().filter(condition).all(self.database.reader()).await?;
        // What is known of another spelling may be a moment old.
        let is_it = |user: &user::Model| user.email.eq_ignore_ascii_case(email.as_str());
        Ok(users.into_iter().filter(is_it).collect())
    }

    /// The user with this e-mail: the only one whatever the case, or the one with exactly
    /// this spelling.
    pub async fn user_by_email(&self, email: &Email) -> Result<Option<user::Model>, DbErr> {
        let mut users = self.users_by_email(email).await?;
        if users.len() > 1 {
            users.retain(|user| user.email == email.as_given());
        }
        Ok(users.pop())
    }
}
