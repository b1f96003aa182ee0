//! Request ids: which were used, for what, and how long that counts.

use sea_orm::{ActiveValue::Set, ColumnTrait, QueryFilter, Select, sea_query::OnConflict};
use server::db::Database;
use shared::auth::Owner;
use uuid::Uuid;

use super::{
    change::Change,
    owned::{owned, owned_insert},
    retention::{BATCH, forget},
    scope::EveryUser,
    system_queries::expired_requests,
};
use crate::{
    domain::{request_id::RequestId, timestamp::Moment},
    entity::request::{ActiveModel, Column, Entity},
    error::Error,
};

/// How long a request id counts, in microseconds: 24 hours.
const LIFETIME: i64 = 24 * 60 * 60 * 1_000_000;

/// What a request id made: a task, or those of a batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Made {
    /// One task.
    One(Uuid),
    /// The tasks a batch made, in order; none for one that made none.
    Batch(Vec<Uuid>),
}

/// What `id` made with the body of this `fingerprint`; `None` if `id` is free.
pub async fn find(
    change: &Change,
    owner: &Owner,
    id: &RequestId,
    fingerprint: &[u8],
    now: Moment,
) -> Result<Option<Made>, Error> {
    let used: Select<Entity> =
        owned(change.transaction.backend(), owner).filter(Column::RequestId.eq(id.as_str()));
    match used.one(&change.transaction).await? {
        Some(used) if used.created_at <= expired_until(now) => Ok(None),
        Some(used) if used.fingerprint == fingerprint => Ok(Some(match used.task_ids {
            None => Made::One(used.task_id),
            Some(bytes) => {
                // Written below, so there is no rest.
                let (ids, _) = bytes.as_chunks();
                Made::Batch(ids.iter().map(|id| Uuid::from_bytes(*id)).collect())
            }
        })),
        Some(_) => Err(Error::RequestIdReused),
        None => Ok(None),
    }
}

/// Remembers what `id` made. An expired use of the same id gives way.
pub async fn remember(
    change: &Change,
    owner: &Owner,
    id: &RequestId,
    fingerprint: Vec<u8>,
    made: Made,
    now: Moment,
) -> Result<(), Error> {
    let (task_id, task_ids) = match made {
        Made::One(task_id) => (task_id, None),
        Made::Batch(ids) => (Uuid::nil(), Some(ids.iter().flat_map(|id| *id.as_bytes()).collect())),
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

/// Deletes what has expired, however much it is, and tells how much it was. Safe beside
/// calls and beside other processes that do the same.
pub async fn forget_expired(
    database: &Database,
    all: EveryUser,
    now: Moment,
) -> Result<u64, Error> {
    forget_expired_by(database, all, now, BATCH).await
}

/// The same, `batch` rows at a time.
pub(super) async fn forget_expired_by(
    database: &Database,
    all: EveryUser,
    now: Moment,
    batch: u64,
) -> Result<u64, Error> {
    forget(database, batch, |limit| expired_requests(all, expired_until(now), limit)).await
}

/// What was made until then has expired by `now`.
fn expired_until(now: Moment) -> i64 {
    now.micros().saturating_sub(LIFETIME)
}
