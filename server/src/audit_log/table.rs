//! The table of security events, the same in the database of each service.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
    entity::prelude::*,
    sea_query::{OnConflict, Query},
};

use super::{AuditLog, Event, EventKind, Page, PageRequest, Record, Source, event::first_id};
use crate::db::{Database, SqlMigration, Transaction, timestamp_value};

/// The most events that one statement deletes, so that it locks few rows for a short time.
const BATCH: u64 = 500;

/// A row of the table: an event as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "security_event")]
pub struct Model {
    /// Ascends with time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The user; `None` for events without one.
    pub user_id: Option<String>,
    /// An [`EventKind`], of this version or a later one.
    pub kind: String,
    /// When it happened.
    pub at: DateTimeUtc,
    /// The request id of the call.
    pub request_id: Option<String>,
    /// The session concerned.
    pub session_id: Option<String>,
    /// The address of the client.
    pub ip_address: Option<String>,
    /// The user agent of the client.
    pub user_agent: Option<String>,
    /// The detail, by kind.
    pub detail: Option<String>,
}

/// A row of the table: an event as its user sees it.
pub use Model as EventView;

/// No relation.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The migration that makes the table, under the name it has in a service.
#[must_use]
pub const fn migration(name: &'static str) -> SqlMigration {
    SqlMigration { name, ..crate::sql_migration!("create_security_event") }
}

/// Inserts events, each once. In a transaction, they commit with it.
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

/// Deletes at most `limit` events of the user from `source`, and returns their number.
#[expect(clippy::disallowed_methods, reason = "filtered by the user in the same expression")]
pub async fn delete_some_of(
    on: &impl ConnectionTrait,
    user_id: &str,
    source: Source,
    limit: u64,
) -> Result<u64, DbErr> {
    let those = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Column::UserId.eq(user_id))
        .and_where(Column::Kind.is_in(EventKind::names_of(source)))
        .limit(limit)
        .take();
    let delete = Entity::delete_many().filter(Column::UserId.eq(user_id));
    let deleted = delete.filter(Column::Id.in_subquery(those)).exec(on).await?;
    Ok(deleted.rows_affected)
}

/// The security events in the database of a service.
#[derive(Clone)]
pub struct SecurityEvents {
    database: Database,
}

impl SecurityEvents {
    /// The events in `database`, which has the table.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Writes events, each once.
    pub(super) async fn write(&self, records: &[Record]) -> Result<(), DbErr> {
        insert(self.database.writer(), records).await
    }

    /// A page of this user's events.
    #[expect(clippy::disallowed_methods, reason = "filtered by the user in the same expression")]
    pub async fn list(&self, user_id: &str, request: &PageRequest) -> Result<Page, DbErr> {
        let mut events = Entity::find().filter(Column::UserId.eq(user_id));
        if let Some(before) = request.before {
            events = events.filter(Column::Id.lt(before.to_string()));
        }
        if let Some(first) = request.first {
            events = events.filter(Column::Id.gte(first.to_string()));
        }
        // One more than the page holds, to see whether there is a next page.
        let events = events.order_by_desc(Column::Id).limit(request.size as u64 + 1);
        Ok(Page::cut(events.all(self.database.reader()).await?, request, user_id))
    }

    /// Deletes all events before `until`, and returns their number. Those about secrets stay: the
    /// next one depends on them.
    pub async fn delete_before(&self, until: DateTime<Utc>) -> Result<u64, DbErr> {
        let mut total = 0;
        loop {
            let deleted = self.delete_batch(until, BATCH).await?;
            total += deleted;
            if deleted < BATCH {
                return Ok(total);
            }
        }
    }

    /// Deletes at most `limit` events before `until`.
    #[expect(clippy::disallowed_methods, reason = "retention is not for one user")]
    pub(super) async fn delete_batch(
        &self,
        until: DateTime<Utc>,
        limit: u64,
    ) -> Result<u64, DbErr> {
        let oldest = Query::select()
            .column(Column::Id)
            .from(Entity)
            .and_where(Column::Id.lt(first_id(until).to_string()))
            .and_where(Column::Kind.is_not_in(EventKind::names_of(Source::Secrets)))
            .order_by(Column::Id, sea_orm::sea_query::Order::Asc)
            .limit(limit)
            .take();
        let delete = Entity::delete_many().filter(Column::Id.in_subquery(oldest));
        delete.exec(self.database.writer()).await.map(|deleted| deleted.rows_affected)
    }

    /// Records that the secret with this key id signs from now on, unless it already did. Of
    /// several processes that start at once, one records it.
    pub async fn record_signing_key(
        &self,
        key_id: &str,
        audit_log: &AuditLog,
    ) -> Result<(), DbErr> {
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
        let record = audit_log.new_record(Event::new(kind).with_detail(key_id));
        insert(&transaction, std::slice::from_ref(&record)).await?;
        transaction.commit().await?;
        audit_log.log_event(&record);
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "events about secrets have no user")]
async fn last_signing_key(transaction: &Transaction) -> Result<Option<String>, DbErr> {
    let inner = Entity::find().filter(Column::Kind.is_in(EventKind::names_of(Source::Secrets)));
    let last = inner.order_by_desc(Column::Id).one(transaction).await?;
    Ok(last.and_then(|event| event.detail))
}
