//! How much is forgotten at a time.

use sea_orm::{DeleteMany, EntityTrait};
use server::db::Database;

use crate::error::Error;

/// How many rows one statement deletes at most, so that it locks few rows for a short time.
pub const BATCH: u64 = 500;

/// Deletes all that has expired, and tells how much it was: `expired` deletes at most so
/// many rows, again and again, until fewer are left.
pub async fn forget<E: EntityTrait>(
    database: &Database,
    batch: u64,
    expired: impl Fn(u64) -> DeleteMany<E>,
) -> Result<u64, Error> {
    let mut forgotten = 0;
    loop {
        let deleted = expired(batch).exec(database.writer()).await?.rows_affected;
        forgotten += deleted;
        if deleted < batch {
            return Ok(forgotten);
        }
    }
}
