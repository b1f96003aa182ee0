//! The SQLite readers for scans of many rows. SQLite has no statement timeout, and a statement
//! continues after its caller is gone.

use std::time::{Duration, Instant};

use sea_orm::{
    ConnectOptions,
    sqlx::{Error, Sqlite, sqlite::SqliteConnection},
};

use super::pool_checks::{LastCheck, after_release, before_acquire};

/// The number of scan connections.
pub const MAX_SCANS: u32 = 3;

/// The steps of SQLite's virtual machine between two checks of the clock: some ten milliseconds.
const STEPS: i32 = 100_000;

/// Options of connections whose statements end after `limit`, counted from the checkout.
pub fn bounded(mut options: ConnectOptions, limit: Duration) -> ConnectOptions {
    // Replaces the usual pool checks, so it includes them.
    let last_check = LastCheck::default();
    options.map_sqlx_sqlite_pool_opts(move |pool| {
        let last_check = last_check.clone();
        let pool = pool.after_connect(move |connection, _| {
            Box::pin(async move { set_deadline(connection, limit).await })
        });
        pool.after_release(move |connection, _| {
            after_release::<Sqlite>(connection, last_check.is_time())
        })
    });
    options.map_sqlx_sqlite_before_acquire(move |connection, meta| {
        Box::pin(async move {
            set_deadline(connection, limit).await?;
            before_acquire::<Sqlite>(connection, meta.idle_for).await
        })
    });
    options
}

async fn set_deadline(connection: &mut SqliteConnection, limit: Duration) -> Result<(), Error> {
    let end = Instant::now() + limit;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, Database as Driver};

    use super::*;
    use crate::db::{class, temporary_file::TemporaryFile};
    use shared::error::Kind;

    /// Without the limit this would take minutes.
    const LONG: &str = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n \
                        WHERE x < 1000000000) SELECT max(x) FROM n";

    #[tokio::test]
    async fn a_query_ends_when_its_time_is_over_and_the_next_one_has_all_of_its_own() {
        let file = TemporaryFile::new("scans");
        let limit = Duration::from_millis(300);
        let scans =
            Driver::connect(bounded(file.url().options(1, false), limit)).await.expect("connected");
        for _ in 0..3 {
            let start = Instant::now();
            let error = scans.execute_unprepared(LONG).await.expect_err("too long");
            assert!(start.elapsed() >= limit, "{:?}", start.elapsed());
            assert_eq!(class(&error), Kind::Unavailable.into(), "{error:?}");
            scans.execute_unprepared("SELECT 1").await.expect("short");
        }
        // A statement without a caller ends as well: there is but one connection.
        let given_up = scans.execute_unprepared(LONG);
        assert!(tokio::time::timeout(limit / 3, given_up).await.is_err());
        scans.execute_unprepared("SELECT 1").await.expect("the connection is free again");
        scans.close().await.expect("closed");
    }
}
