use std::time::Duration;

use sea_orm::ConnectionTrait;
use tokio::time::timeout;

use super::*;
use crate::db::{class, temporary_file::TemporaryFile};
use shared::error::Kind;

/// Without a limit this would take minutes.
const LONG: &str = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n \
                    WHERE x < 1000000000) SELECT max(x) FROM n";

async fn pool(file: &TemporaryFile, size: u32, limit: Option<Duration>) -> Pool {
    let connector = file.url().sqlite(limit, &[]).expect("an address");
    std::fs::File::create(file.url().file().expect("a file")).expect("created");
    Pool::connect(connector, size, None).await.expect("connected")
}

/// Waits until no connection is in use or being checked.
async fn settled(pool: &Pool) {
    drop(pool.inner.permits.acquire_many(pool.size()).await.expect("open"));
}

#[tokio::test]
async fn a_query_ends_when_its_time_is_over_and_the_next_one_has_all_of_its_own() {
    let file = TemporaryFile::new("scans");
    let limit = Duration::from_millis(300);
    let scans = pool(&file, 1, Some(limit)).await;
    for _ in 0..3 {
        let start = Instant::now();
        let error = scans.execute_unprepared(LONG).await.expect_err("too long");
        assert!(start.elapsed() >= limit, "{:?}", start.elapsed());
        assert_eq!(class(&error), Kind::Unavailable.into(), "{error:?}");
        scans.execute_unprepared("SELECT 1").await.expect("short");
    }
    // A statement without a caller ends as well: there is but one connection.
    let given_up = scans.execute_unprepared(LONG);
    assert!(timeout(limit / 3, given_up).await.is_err());
    scans.execute_unprepared("SELECT 1").await.expect("the connection is free again");
    scans.close().await.expect("closed");
}

#[tokio::test]
async fn a_connection_is_reused_and_callers_wait_in_order() {
    let file = TemporaryFile::new("reuse");
    let pool = pool(&file, 1, None).await;
    settled(&pool).await;
    let first = pool.acquire().await.expect("free");
    let soon = Duration::from_millis(10);
    {
        let (second, third) = (pool.acquire(), pool.acquire());
        tokio::pin!(second, third);
        assert!(timeout(soon, &mut second).await.is_err());
        assert!(timeout(soon, &mut third).await.is_err());
        drop(first);
        let second = second.await.expect("next");
        assert!(timeout(soon, &mut third).await.is_err());
        drop(second);
        drop(third.await.expect("last"));
    }
    settled(&pool).await;
    assert_eq!(pool.idle(), 1);
    pool.close().await.expect("closed");
}

/// It would take the writes of the next call and lose them.
#[tokio::test]
async fn a_connection_inside_a_transaction_does_not_return() {
    let file = TemporaryFile::new("inside");
    let pool = pool(&file, 1, None).await;
    pool.execute_unprepared("CREATE TABLE t (x)").await.expect("a table");
    // By the driver's count.
    let mut lease = pool.acquire().await.expect("free");
    lease.begin("BEGIN IMMEDIATE").await.expect("begun");
    lease.execute_unprepared("INSERT INTO t VALUES (1)").await.expect("inserted");
    drop(lease);
    settled(&pool).await;
    assert_eq!(pool.idle(), 0);
    // By the database alone, which is queried at its time.
    pool.inner.idle().last_check = None;
    pool.execute_unprepared("BEGIN IMMEDIATE").await.expect("begun");
    settled(&pool).await;
    assert_eq!(pool.idle(), 0);
    // And after an idle time.
    pool.execute_unprepared("BEGIN IMMEDIATE").await.expect("begun");
    settled(&pool).await;
    assert_eq!(pool.idle(), 1);
    pool.inner.idle().all[0].since -= IDLE;
    pool.execute_unprepared("BEGIN IMMEDIATE").await.expect("not within the other");
    pool.close().await.expect("closed");
}

#[tokio::test]
async fn an_interrupted_or_failed_connection_is_checked_and_returns() {
    let file = TemporaryFile::new("interrupted");
    let pool = pool(&file, 1, Some(Duration::from_millis(100))).await;
    assert!(pool.execute_unprepared("SELECT nothing").await.is_err());
    settled(&pool).await;
    assert_eq!(pool.idle(), 1);
    let interrupted = timeout(Duration::from_millis(20), pool.execute_unprepared(LONG)).await;
    assert!(interrupted.is_err() && pool.idle() == 0, "still in use");
    pool.execute_unprepared("SELECT 1").await.expect("the next has a connection");
    pool.close().await.expect("closed");
}

/// A broken connection suggests that all of the server are.
#[tokio::test]
async fn others_are_checked_after_a_connection_broke() {
    let file = TemporaryFile::new("broke");
    let pool = pool(&file, 2, None).await;
    settled(&pool).await;
    pool.inner.idle().broke = Some(Instant::now());
    assert!(pool.try_acquire_fresh().is_none());
    drop(pool.acquire().await.expect("checked"));
    assert!(pool.try_acquire_fresh().is_some(), "idle since later");
    pool.close().await.expect("closed");
}

#[tokio::test]
async fn an_aged_connection_is_closed() {
    let file = TemporaryFile::new("aged");
    let connector = pool(&file, 1, None).await.connector().clone();
    let (short, long) = (Duration::from_millis(50), Duration::from_mins(1));
    for max_age in [MaxAge { lifetime: short, idle: long }, MaxAge { lifetime: long, idle: short }]
    {
        let pool = Pool::connect(connector.clone(), 1, Some(max_age)).await.expect("connected");
        settled(&pool).await;
        let is_closed = async {
            while pool.idle() > 0 {
                tokio::time::sleep(short / 10).await;
            }
        };
        timeout(long / 6, is_closed).await.expect("closed");
        pool.close().await.expect("closed");
    }
}

#[test]
fn connections_that_open_together_do_not_end_together() {
    let max_age = MaxAge { lifetime: Duration::from_secs(1000), idle: Duration::ZERO };
    let begun = Instant::now();
    let ends: Vec<_> = (0..50).map(|_| (max_age.end() - begun).as_secs()).collect();
    assert!(ends.iter().all(|end| (900..=1000).contains(end)), "{ends:?}");
    let (first, last) = (ends.iter().min(), ends.iter().max());
    assert!(last.zip(first).is_some_and(|(last, first)| last - first > 10), "{ends:?}");
}
