//! Accounts whose stored e-mail has capitals. This service and Better Auth write lower case, but
//! imports and older releases did not, and the index on the column finds one spelling only.
//!
//! These accounts are few, so their e-mails are cached. They are read at start and, as other
//! programs write to the table, again when a look-up finds the cache old. A scan of a large table
//! is expensive, so the maximum age follows from the cost of the last scan. Every look-up uses
//! the cache, so that its time does not reveal whether an account exists.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};
use server::db::Database;

use super::Store;
use crate::{email::Email, entity::user};

/// The most cached accounts: about ten megabytes.
const MAX_CACHED: usize = 100_000;

/// The time between two scans, as a multiple of the time of one.
const SCAN_INTERVAL_FACTOR: u32 = 100;

/// The longest scan that a look-up waits for. A longer one runs in the background.
const MAX_INLINE_SCAN: Duration = Duration::from_millis(50);

/// How many e-mails one statement looks up.
const BATCH: usize = 500;

/// The ids of these accounts, by e-mail in lower case.
pub type Ids = HashMap<String, Vec<String>>;

/// The cache of these accounts.
#[derive(Clone, Default)]
pub struct MixedCase {
    known: Arc<Mutex<Known>>,
    /// Locked during a scan.
    reading: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Known {
    ids: Arc<Ids>,
    /// When the last scan ended, and how long it took.
    read: Option<(Instant, Duration)>,
}

/// Statistics for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spellings {
    /// Accounts whose stored e-mail has capitals.
    pub accounts: usize,
    /// Addresses with several accounts, whose e-mails differ in case alone.
    pub shared: usize,
    /// More accounts than are cached.
    pub is_partial: bool,
}

impl MixedCase {
    /// The ids of accounts with this e-mail, given in lower case, in another spelling.
    async fn ids(&self, database: &Database, email: &str) -> Vec<String> {
        if self.is_stale()
            && let Ok(reading) = self.reading.clone().try_lock_owned()
            && self.is_stale()
        {
            if self.known().read.is_some_and(|(_, took)| took > MAX_INLINE_SCAN) {
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

    /// Fills the cache, and returns whether that succeeded. After a failure the old content
    /// stays.
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

    fn is_stale(&self) -> bool {
        let read = self.known().read;
        read.is_none_or(|(at, took)| at.elapsed() >= took.saturating_mul(SCAN_INTERVAL_FACTOR))
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

/// The users whose e-mail has capital letters, up to one more than the cache holds.
#[expect(clippy::disallowed_methods, reason = "it reads e-mails for the cache alone")]
pub async fn read(database: &Database) -> Result<Ids, DbErr> {
    let query = Query::select()
        .expr(Expr::col(user::Column::Id).cast_as("text"))
        .expr(Expr::col(user::Column::Email).cast_as("text"))
        .from(user::Entity)
        .and_where(has_capitals(database.backend()))
        .limit(MAX_CACHED as u64 + 1)
        .take();
    let mut ids = Ids::new();
    for row in database.reader().query_all(&query).await? {
        let (id, email): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        ids.entry(email.to_ascii_lowercase()).or_default().push(id);
    }
    Ok(ids)
}

/// Statistics of `ids`.
#[expect(clippy::disallowed_methods, reason = "it counts, and returns no row")]
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
    Ok(Spellings { accounts, shared, is_partial: accounts > MAX_CACHED })
}

impl Store {
    /// Fills the cache for the first time, and logs what an operator should know.
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
                kept = MAX_CACHED,
                "too many accounts have capitals in their e-mail; the rest is found by exact spelling alone"
            );
        }
        Ok(())
    }

    /// The condition for accounts with this e-mail, given in lower case, in another spelling;
    /// `None`: there is none.
    pub(super) async fn has_other_spelling(&self, email: &str) -> Option<Expr> {
        let ids = self.mixed_case.ids(&self.database, email).await;
        let is = |id: String| self.layout.user.is(user::Column::Id, &id);
        ids.into_iter().map(is).reduce(Expr::or)
    }

    /// The condition for users with this e-mail in any case, as far as the cache is current.
    pub(super) async fn is_email(&self, email: &Email) -> Expr {
        let spelt = user::Column::Email.is_in([email.as_str(), email.as_given()]);
        match self.has_other_spelling(email.as_str()).await {
            Some(otherwise) => spelt.or(otherwise),
            None => spelt,
        }
    }

    /// The users with this e-mail, whatever the case of either.
    #[expect(clippy::disallowed_methods, reason = "sign-in asks before the user is known")]
    pub(super) async fn users_by_email(&self, email: &Email) -> Result<Vec<user::Model>, DbErr> {
        let condition = self.is_email(email).await;
        let users = user::Entity::find().filter(condition).all(self.database.reader()).await?;
        // The cache may be a moment old.
        let is_it = |user: &user::Model| user.email.eq_ignore_ascii_case(email.as_str());
        Ok(users.into_iter().filter(is_it).collect())
    }

    /// The user with this e-mail: the only one in any case, or the one with exactly this
    /// spelling.
    pub async fn user_by_email(&self, email: &Email) -> Result<Option<user::Model>, DbErr> {
        let mut users = self.users_by_email(email).await?;
        if users.len() > 1 {
            users.retain(|user| user.email == email.as_given());
        }
        Ok(users.pop())
    }
}
