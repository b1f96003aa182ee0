use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::db::{Database, Transaction, disk_full::is_disk_full, temporary_file::TemporaryFile};

const WRITERS: usize = 6;

async fn open(file: &TemporaryFile) -> Database {
    let database = Database::connect(&file.url()).await.expect("connected");
    let table = "CREATE TABLE t (x INTEGER PRIMARY KEY, y)";
    database.writer().execute_unprepared(table).await.expect("a table");
    database
}

async fn insert(on: &Transaction, x: usize) -> Result<(), DbErr> {
    on.execute_unprepared(&format!("INSERT INTO t VALUES ({x}, 0)")).await.map(drop)
}

#[expect(clippy::disallowed_methods, reason = "a table of the test's own")]
async fn rows(database: &Database) -> Vec<i64> {
    let all = Statement::from_string(database.backend(), "SELECT x FROM t ORDER BY x");
    let rows = database.reader().query_all_raw(all).await.expect("rows");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a number")).collect()
}

/// Begins a change and lets others queue behind it, which do `work`. Returns their outcomes.
async fn behind_another<T: Send + 'static>(
    database: &Database,
    work: impl AsyncFn(Database, usize) -> T,
) -> (Result<(), DbErr>, Vec<i64>, Vec<T>) {
    let first = database.begin().await.expect("begun");
    insert(&first, 0).await.expect("inserted");
    let others = join_all((1..WRITERS).map(|x| work(database.clone(), x)));
    let first = async {
        // The others are polled first, and so wait.
        tokio::task::yield_now().await;
        assert!(rows(database).await.is_empty(), "nothing is committed yet");
        let committed = first.commit().await;
        (committed, rows(database).await)
    };
    let (others, (committed, seen)) = tokio::join!(biased; others, first);
    (committed, seen, others)
}

async fn change(database: Database, x: usize) -> Result<(), DbErr> {
    let change = database.begin().await?;
    insert(&change, x).await?;
    change.commit().await
}

#[tokio::test]
async fn those_who_wait_share_a_commit_and_none_is_acknowledged_before() {
    let file = TemporaryFile::new("group");
    let database = open(&file).await;
    let (first, seen, others) = behind_another(&database, change).await;
    first.expect("committed");
    assert!(others.into_iter().all(|committed| committed.is_ok()));
    assert_eq!(seen, [0, 1, 2, 3, 4, 5], "one commit for all");
    change(database.clone(), 6).await.expect("alone");
    assert_eq!(rows(&database).await.len(), 7);
    database.close().await.expect("closed");
}

#[tokio::test]
async fn a_change_that_fails_or_is_given_up_is_undone_alone() {
    let file = TemporaryFile::new("undone");
    let database = open(&file).await;
    let work = async |database: Database, x: usize| {
        let change = database.begin().await.expect("begun");
        insert(&change, x).await.expect("inserted");
        match x {
            1 => insert(&change, 0).await.expect_err("it exists"),
            2 => return drop(change),
            3 => return change.rollback().await.expect("undone"),
            _ => return change.commit().await.expect("committed"),
        };
        change.commit().await.expect_err("a statement failed");
    };
    let (first, _, _) = behind_another(&database, work).await;
    first.expect("committed");
    change(database.clone(), 7).await.expect("the file is free");
    assert_eq!(rows(&database).await, [0, 4, 5, 7]);
    database.close().await.expect("closed");
}

/// SQLite rolls the whole transaction back by itself when the disk is full.
#[tokio::test]
async fn when_the_transaction_fails_all_of_its_changes_have_failed() {
    let file = TemporaryFile::new("failed");
    let database = open(&file).await;
    database.writer().execute_unprepared("PRAGMA max_page_count = 10").await.expect("a limit");
    let work = async |database: Database, x: usize| {
        let change = database.begin().await.expect("begun");
        insert(&change, x).await?;
        if x == WRITERS - 1 {
            let much = "UPDATE t SET y = randomblob(100000)";
            change.execute_unprepared(much).await?;
        }
        change.commit().await
    };
    let (first, seen, others) = behind_another(&database, work).await;
    assert!(seen.is_empty());
    for failed in others.into_iter().chain([first]) {
        let error = failed.expect_err("not committed");
        assert!(is_disk_full(&error), "{error:?}");
    }
    change(database.clone(), 8).await.expect("the file is free");
    assert_eq!(rows(&database).await, [8]);
    database.close().await.expect("closed");
}

#[tokio::test]
async fn a_caller_that_is_gone_as_its_turn_begins_fails_nobody() {
    let file = TemporaryFile::new("gone");
    let database = open(&file).await;
    let work = async |database: Database, x: usize| {
        if x == 2 {
            drop(database.writers.begin(&database.writer).await.expect("a turn"));
            return Ok(());
        }
        change(database, x).await
    };
    let (first, _, others) = behind_another(&database, work).await;
    first.expect("committed");
    assert!(others.into_iter().all(|committed| committed.is_ok()));
    assert_eq!(rows(&database).await, [0, 1, 3, 4, 5]);
    drop(database.writers.begin(&database.writer).await.expect("alone"));
    change(database.clone(), 6).await.expect("the file is free");
    database.close().await.expect("closed");
}

/// What a turn spawns as it is dropped is dropped at once.
#[test]
fn a_runtime_ends_within_a_turn() {
    let file = TemporaryFile::new("ends");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let database = runtime.block_on(open(&file));
    let turn = runtime.block_on(database.writers.begin(&database.writer)).expect("a turn");
    let (begun, waiting) = std::sync::mpsc::channel();
    runtime.spawn(async move {
        let _turn = turn;
        begun.send(()).expect("heard");
        std::future::pending::<()>().await;
    });
    waiting.recv().expect("it runs");
    drop(runtime);
}

/// More than are released together; each third fails, at its first statement or at a later one.
#[tokio::test]
async fn of_many_changes_those_that_fail_are_undone_alone() {
    let file = TemporaryFile::new("many");
    let database = open(&file).await;
    let one = async |x: usize| {
        let change = database.begin().await.expect("begun");
        #[expect(clippy::disallowed_methods, reason = "a table of the test's own")]
        if x.is_multiple_of(2) {
            let first = Statement::from_string(
                database.backend(),
                format!("INSERT INTO t VALUES ({x}, 0) RETURNING x"),
            );
            change.query_one_raw(first).await.expect("inserted").expect("a row");
        } else {
            insert(&change, x).await.expect("inserted");
        }
        if x.is_multiple_of(3) {
            insert(&change, x).await.expect_err("it exists");
            change.rollback().await.expect("undone");
        } else {
            change.commit().await.expect("committed");
        }
    };
    join_all((1..=40).map(one)).await;
    let kept = (1..=40_i64).filter(|x| x % 3 != 0);
    assert_eq!(rows(&database).await, kept.collect::<Vec<_>>());
    database.close().await.expect("closed");
}

/// Changes of one user wait for each other and not for the commit, which they share.
#[tokio::test]
async fn who_waits_for_the_guard_of_a_change_is_part_of_its_commit() {
    let file = TemporaryFile::new("guard");
    let database = open(&file).await;
    let user = std::sync::Arc::new(tokio::sync::Mutex::new(()));
    let one = async |x: usize| {
        let guard = user.clone().lock_owned().await;
        let change = database.begin().await.expect("begun");
        insert(&change, x).await.expect("inserted");
        change.commit_with(guard).await.expect("committed");
        rows(&database).await.len()
    };
    // A transaction that is old is committed before all of them have come: on a busy machine.
    let mut is_shared = false;
    for attempt in 1..=20 {
        let writers = (attempt - 1) * WRITERS..attempt * WRITERS;
        let seen = join_all(writers.map(one)).await;
        is_shared |= seen == [attempt * WRITERS; WRITERS];
    }
    assert!(is_shared, "one commit for all");
    database.close().await.expect("closed");
}
