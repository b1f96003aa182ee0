//! Retention: deletes of expired rows, batch by batch.

use sea_orm::{DeleteMany, EntityTrait};
use server::db::Database;

use crate::error::Error;

/// The most rows of one statement, so that few are locked for a short time.
pub const BATCH: u64 = 500;

/// Deletes all expired rows and returns their number; `expired` is a delete of at most so many
/// rows.
pub async fn delete_expired<E: EntityTrait>(
    database: &Database,
    batch: u64,
    expired: impl Fn(u64) -> DeleteMany<E>,
) -> Result<u64, Error> {
    let mut deleted_rows = 0;
    loop {
        let deleted = expired(batch).exec(database.writer()).await?.rows_affected;
        deleted_rows += deleted;
        if deleted < batch {
            return Ok(deleted_rows);
        }
    }
}
