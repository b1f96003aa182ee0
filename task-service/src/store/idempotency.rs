//! The store of idempotency keys.

use sea_orm::{ActiveValue::Set, ColumnTrait, QueryFilter, Select, sea_query::OnConflict};
use server::db::Database;
use shared::{auth::Owner, error::Refusal};
use uuid::Uuid;

use super::{
    change::Change,
    owned::{owned, owned_insert},
    retention::{BATCH, delete_expired},
    scope::{EveryUser, OneUser},
    system_queries::{expired_requests, users_of_expired_requests},
};
use crate::{
    domain::{request_id::RequestId, timestamp::Timestamp},
    entity::request::{ActiveModel, Column, Entity},
    error::Error,
};

/// The lifetime of a key, in microseconds: 24 hours.
const LIFETIME: i64 = 24 * 60 * 60 * 1_000_000;

/// The tasks created with a key: one, or those of a batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Created {
    /// One task.
    One(Uuid),
    /// The tasks of a batch, in order; none if it created none.
    Batch(Vec<Uuid>),
}

/// The tasks created with `id` and a body of this `fingerprint`; `None` if `id` is unused.
pub async fn find(
    change: &Change,
    owner: &Owner,
    id: &RequestId,
    fingerprint: &[u8],
    now: Timestamp,
) -> Result<Option<Created>, Error> {
    let used: Select<Entity> =
        owned(change.transaction.backend(), owner).filter(Column::RequestId.eq(id.as_str()));
    match used.one(&change.transaction).await? {
        Some(used) if used.created_at <= expired_until(now) => Ok(None),
        Some(used) if used.fingerprint == fingerprint => Ok(Some(match used.task_ids {
            None => Created::One(used.task_id),
            Some(bytes) => {
                // Written below, so there is no remainder.
                let (ids, _) = bytes.as_chunks();
                Created::Batch(ids.iter().map(|id| Uuid::from_bytes(*id)).collect())
            }
        })),
        Some(_) => Err(Refusal::RequestIdReused.into()),
        None => Ok(None),
    }
}

/// Stores the use of `id`, and replaces an expired one.
pub async fn remember(
    change: &Change,
    owner: &Owner,
    id: &RequestId,
    fingerprint: Vec<u8>,
    made: Created,
    now: Timestamp,
) -> Result<(), Error> {
    let (task_id, task_ids) = match made {
        Created::One(task_id) => (task_id, None),
        Created::Batch(ids) => {
            (Uuid::nil(), Some(ids.iter().flat_map(|id| *id.as_bytes()).collect()))
        }
    };
    let row = ActiveModel {
        request_id: Set(id.as_str().to_owned()),
        fingerprint: Set(fingerprint),
        task_id: Set(task_id),
        task_ids: Set(task_ids),
        created_at: Set(now.micros()),
        ..Default::default()
    };
    let on_conflict = OnConflict::columns([Column::UserId, Column::RequestId])
        .update_columns([Column::Fingerprint, Column::TaskId, Column::TaskIds, Column::CreatedAt])
        .to_owned();
    owned_insert(owner, row)
        .on_conflict(on_conflict)
        .exec_without_returning(&change.transaction)
        .await?;
    Ok(())
}

/// Deletes all expired keys and returns their number. Safe beside calls and other replicas.
pub async fn delete_expired_keys(
    database: &Database,
    all: EveryUser,
    now: Timestamp,
) -> Result<u64, Error> {
    delete_expired_keys_by(database, all, now, BATCH).await
}

/// Deletes all expired keys, at most `batch` rows at a time.
pub(super) async fn delete_expired_keys_by(
    database: &Database,
    all: EveryUser,
    now: Timestamp,
    batch: u64,
) -> Result<u64, Error> {
    let until = expired_until(now);
    let users = |limit| users_of_expired_requests(all, until, limit).all(database.reader());
    let expired = |user: OneUser<'_>, limit| expired_requests(user, until, limit);
    delete_expired(database, all, batch, users, expired).await
}

/// The time until which keys have expired by `now`.
fn expired_until(now: Timestamp) -> i64 {
    now.micros().saturating_sub(LIFETIME)
}
