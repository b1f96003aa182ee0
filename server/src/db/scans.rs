//! SQLite's readers for what may look at many rows. SQLite has no time limit of its own, and a
//! statement goes on when nobody waits for its answer any more.

use std::time::{Duration, Instant};

use sea_orm::{
    ConnectOptions,
    sqlx::{Error, Sqlite, sqlite::SqliteConnection},
};

use super::checks::{LastCheck, coming_back, going_out};

/// How many there are.
pub const AT_ONCE: u32 = 3;

/// How many steps of its machine SQLite takes between two looks at the clock: some ten
/// milliseconds.
const STEPS: i32 = 100_000;

/// The same connections, on each of which what is asked ends after `limit`, counted from when
/// it was taken out of the pool.
pub fn bounded(mut options: ConnectOptions, limit: Duration) -> ConnectOptions {
    // In place of what looks at every other connection, so it does that as well.
    let asked = LastCheck::default();
    options.map_sqlx_sqlite_pool_opts(move |pool| {
        let asked = asked.clone();
        let pool = pool.after_connect(move |connection, _| {
            Box::pin(async move { end_after(connection, limit).await })
        });
        pool.after_release(move |connection, _| coming_back::<Sqlite>(connection, asked.is_time()))
    });
    options.map_sqlx_sqlite_before_acquire(move |connection, meta| {
        Box::pin(async move {
            end_after(connection, limit).await?;
            going_out::<Sqlite>(connection, meta.idle_for).await
        })
    });
    options
}

async fn end_after(connection: &mut SqliteConnection, limit: Duration) -> Result<(), Error> {
    let end = Instant::now() + limit;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, Database as Driver};

    use super::*;
    use crate::db::{kind, temporary_file::TemporaryFile};
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
            assert_eq!(kind(&error), Kind::Unavailable, "{error:?}");
            scans.execute_unprepared("SELECT 1").await.expect("short");
        }
        // One that nobody waits for any more ends as well: there is but one connection.
        let given_up = scans.execute_unprepared(LONG);
        assert!(tokio::time::timeout(limit / 3, given_up).await.is_err());
        scans.execute_unprepared("SELECT 1").await.expect("the connection is free again");
        scans.close().await.expect("closed");
    }
}
