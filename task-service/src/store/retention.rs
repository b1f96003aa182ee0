//! Retention: deletes of expired rows, user by user and batch by batch.
//!
//! Where tables are distributed by user, a statement that locks rows reaches one shard.

use std::collections::BTreeSet;

use sea_orm::{DbErr, DeleteMany, EntityTrait};
use server::db::Database;

use super::scope::{EveryUser, OneUser};
use crate::error::Error;

/// The most rows of one statement, so that few are locked for a short time.
pub const BATCH: u64 = 500;

/// Deletes all expired rows and returns their number. `users` reads the user of each of at most so
/// many of them, and `expired` is a delete of at most so many rows of a user. Rows locked by others
/// may be left for the next time.
pub async fn delete_expired<E: EntityTrait, Read>(
    database: &Database,
    all: EveryUser,
    batch: u64,
    users: impl Fn(u64) -> Read,
    expired: impl Fn(OneUser<'_>, u64) -> DeleteMany<E>,
) -> Result<u64, Error>
where
    Read: Future<Output = Result<Vec<String>, DbErr>>,
{
    let mut deleted_rows = 0;
    loop {
        let rows = users(batch).await?;
        let is_last = (rows.len() as u64) < batch;
        let mut deleted = 0;
        for user_id in BTreeSet::from_iter(rows) {
            let user = all.user(&user_id);
            loop {
                let some = expired(user, batch).exec(database.writer()).await?.rows_affected;
                deleted += some;
                if some < batch {
                    break;
                }
            }
        }
        deleted_rows += deleted;
        if is_last || deleted == 0 {
            return Ok(deleted_rows);
        }
    }
}
