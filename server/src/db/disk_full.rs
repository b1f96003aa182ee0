//! Disk-full errors of a database.

use sea_orm::DbErr;

use super::error_code::{ErrorCode, driver_error};

/// In PostgreSQL's class 53, insufficient resources.
const DISK_FULL: &str = "53100";

const SQLITE_FULL: u32 = 13;

/// Whether `error` reports that the database's disk or file is full.
#[must_use]
pub fn is_disk_full(error: &DbErr) -> bool {
    match driver_error(error).and_then(ErrorCode::of) {
        Some(ErrorCode::SqlState(state)) => state == DISK_FULL,
        Some(ErrorCode::Sqlite(code)) => code == SQLITE_FULL,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;

    use super::*;
    use crate::db::{Database, class, temporary_file::TemporaryFile};
    use shared::error::Refusal;

    #[tokio::test]
    async fn a_full_disk_is_distinguished_from_an_unavailable_database() -> Result<(), DbErr> {
        let file = TemporaryFile::new("full");
        let database = Database::connect(&file.url()).await?;
        let on = database.writer();
        on.execute_unprepared("CREATE TABLE t (x)").await?;
        on.execute_unprepared("PRAGMA max_page_count = 3").await?;
        let much = "INSERT INTO t VALUES (randomblob(100000))";
        let error = on.execute_unprepared(much).await.expect_err("no room");
        assert!(is_disk_full(&error), "{error:?}");
        assert_eq!(class(&error), Refusal::StorageFull.into());
        let error = on.execute_unprepared("INSERT INTO u VALUES (1)").await.expect_err("no table");
        assert!(!is_disk_full(&error), "{error:?}");
        database.close().await?;
        Ok(())
    }
}
