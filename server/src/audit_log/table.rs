//! The table of events, alike in the database of each service.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
    entity::prelude::*,
    sea_query::{OnConflict, Query},
};

use super::{AuditLog, Event, EventKind, Page, PageRequest, Record, event::first_id};
use crate::db::{Database, Transaction, timestamp_value};

/// How many events one statement forgets at most, so that it locks few rows for a short
/// time.
const BATCH: u64 = 500;

/// An event as its user is told it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "security_event")]
pub struct Model {
    /// Ascends with time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Whose it is; `None`: nobody's.
    pub user_id: Option<String>,
    /// An [`EventKind`], of this version or a later one.
    pub kind: String,
    /// When it happened.
    pub at: DateTimeUtc,
    /// The id of the call in the log.
    pub request_id: Option<String>,
    /// The session it is about.
    pub session_id: Option<String>,
    /// Where the call came from.
    pub ip_address: Option<String>,
    /// What the caller said it is.
    pub user_agent: Option<String>,
    /// What else is known.
    pub detail: Option<String>,
}

/// An event as its user is told it.
pub use Model as EventView;

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The statements that make the table, unless the other service has made it in the same
/// database. Migrations have run them: they never change.
#[must_use]
pub fn create(backend: DbBackend) -> [String; 2] {
    // Ids compare byte for byte, whatever the database's language.
    let (time, text) = match backend {
        DbBackend::Postgres => ("timestamptz", "text COLLATE \"C\""),
        _ => ("text", "text"),
    };
    [
        format!(
            "CREATE TABLE IF NOT EXISTS security_event (
                id {text} NOT NULL PRIMARY KEY,
                user_id text,
                kind text NOT NULL,
                at {time} NOT NULL,
                request_id text,
                session_id text,
                ip_address text,
                user_agent text,
                detail text
            )"
        ),
        "CREATE INDEX IF NOT EXISTS security_event_by_user ON security_event (user_id, id)"
            .to_owned(),
    ]
}

/// Writes events, each once however often it is written. In the transaction of what they
/// are about they are written if that is.
#[expect(clippy::disallowed_methods, reason = "events of many users, and of none, at once")]
pub async fn insert(on: &impl ConnectionTrait, records: &[Record]) -> Result<(), DbErr> {
    if records.is_empty() {
        return Ok(());
    }
    let mut insert = Query::insert();
    insert.into_table(Entity).columns([
        Column::Id,
        Column::UserId,
        Column::Kind,
        Column::At,
        Column::RequestId,
        Column::SessionId,
        Column::IpAddress,
        Column::UserAgent,
        Column::Detail,
    ]);
    for record in records {
        let event = &record.event;
        insert.values_panic([
            record.id.to_string().into(),
            event.user_id.clone().into(),
            event.kind.as_str().into(),
            timestamp_value(on.get_database_backend(), record.at).into(),
            record.request_id.clone().into(),
            event.session_id.clone().into(),
            record.address.map(|address| address.to_string()).into(),
            record.user_agent.clone().into(),
            event.detail.clone().into(),
        ]);
    }
    insert.on_conflict(OnConflict::column(Column::Id).do_nothing().to_owned());
    on.execute(&insert).await.map(drop)
}

/// Forgets at most `limit` events of these kinds that are the user's, and tells how many
/// they were.
#[expect(clippy::disallowed_methods, reason = "filtered by the user in the same expression")]
pub async fn forget_some_of(
    on: &impl ConnectionTrait,
    user_id: &str,
    kinds: &[EventKind],
    limit: u64,
) -> Result<u64, DbErr> {
    let kinds = kinds.iter().copied().map(EventKind::as_str);
    let those = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Column::UserId.eq(user_id))
        .and_where(Column::Kind.is_in(kinds))
        .limit(limit)
        .take();
    let delete = Entity::delete_many().filter(Column::UserId.eq(user_id));
    let deleted = delete.filter(Column::Id.in_subquery(those)).exec(on).await?;
    Ok(deleted.rows_affected)
}

/// The events in the database of a service.
#[derive(Clone)]
pub struct SecurityEvents {
    database: Database,
}

impl SecurityEvents {
    /// Those in `database`, which has the table.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Writes events, each once.
    pub(super) async fn keep(&self, records: &[Record]) -> Result<(), DbErr> {
        insert(self.database.writer(), records).await
    }

    /// The events of the user with this id, and nobody else's.
    #[expect(clippy::disallowed_methods, reason = "filtered by the user in the same expression")]
    pub async fn list(&self, user_id: &str, request: &PageRequest) -> Result<Page, DbErr> {
        let mut events = Entity::find().filter(Column::UserId.eq(user_id));
        if let Some(before) = request.before {
            events = events.filter(Column::Id.lt(before.to_string()));
        }
        if let Some(first) = request.first {
            events = events.filter(Column::Id.gte(first.to_string()));
        }
        // One more than the page holds, to see whether the list goes on.
        let events = events.order_by_desc(Column::Id).limit(request.size as u64 + 1);
        Ok(Page::cut(events.all(self.database.reader()).await?, request, user_id))
    }

    /// Forgets all events from before `until`, however many they are, and tells how many
    /// they were. Those about secrets stay: what is said of the next one depends on them.
    pub async fn forget(&self, until: DateTime<Utc>) -> Result<u64, DbErr> {
        let mut forgotten = 0;
        loop {
            let deleted = self.forget_some(until, BATCH).await?;
            forgotten += deleted;
            if deleted < BATCH {
                return Ok(forgotten);
            }
        }
    }

    /// The same of so many at most.
    #[expect(clippy::disallowed_methods, reason = "an old event is nobody's any more")]
    pub(super) async fn forget_some(&self, until: DateTime<Utc>, limit: u64) -> Result<u64, DbErr> {
        let oldest = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(Column::Id.lt(first_id(until).to_string()))
            .and_where(Column::Kind.is_not_in(of_secrets()))
            .order_by(Column::Id, sea_orm::sea_query::Order::Asc)
            .limit(limit)
            .take();
        let delete = Entity::delete_many().filter(Column::Id.in_subquery(oldest));
        delete.exec(self.database.writer()).await.map(|deleted| deleted.rows_affected)
    }

    /// Notes in `trail` that the secret with this key id signs from now on, unless it did
    /// when this was last asked. Of several processes that start at once one notes it.
    pub async fn record_signing_key(&self, key_id: &str, trail: &AuditLog) -> Result<(), DbErr> {
        let transaction = self.database.begin().await?;
        if self.database.backend() == DbBackend::Postgres {
            let lock = "SELECT pg_advisory_xact_lock(hashtext('security_event'))";
            transaction.execute_unprepared(lock).await?;
        }
        let kind = match last_signing_key(&transaction).await? {
            Some(last) if last == key_id => return Ok(()),
            Some(_) => EventKind::SecretRotated,
            None => EventKind::SecretFirstUsed,
        };
        let record = trail.record(Event::new(kind).with_detail(key_id));
        insert(&transaction, std::slice::from_ref(&record)).await?;
        transaction.commit().await?;
        trail.say(&record);
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "events about secrets are nobody's")]
async fn last_signing_key(transaction: &Transaction) -> Result<Option<String>, DbErr> {
    let noted = Entity::find().filter(Column::Kind.is_in(of_secrets()));
    let last = noted.order_by_desc(Column::Id).one(transaction).await?;
    Ok(last.and_then(|event| event.detail))
}

fn of_secrets() -> [&'static str; 2] {
    EventKind::OF_SECRETS.map(EventKind::as_str)
}
