//! Failures after which only the connection itself knows what became of a transaction.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use fixtures::{Backend, FreshDatabase, on_both_databases};
use sea_orm::ConnectionTrait;
use server::db::{self, Pool};
use shared::error::Kind;

use crate::ledger::{Ledger, add_in, is_marked, mark};

on_both_databases!(
    a_transaction_with_a_failed_statement_is_never_committed,
    a_connection_inside_a_transaction_is_not_given_on,
);

async fn a_transaction_with_a_failed_statement_is_never_committed(fresh: FreshDatabase) {
    let ledger = Ledger::open(&fresh, 1).await;
    ledger.add(1).await.expect("a row");
    let transaction = ledger.database.begin().await.expect("a transaction begins");
    add_in(&transaction, 2).await.expect("a row");
    add_in(&transaction, 1).await.expect_err("a number is there once");
    assert!(add_in(&transaction, 3).await.is_err(), "nothing goes on after a failure");
    let error = transaction.commit().await.expect_err("the server would roll back and say OK");
    assert_eq!(db::class(&error), Kind::Unavailable.into());
    for number in [2, 3] {
        assert!(!ledger.has(number).await, "{number}");
    }
    ledger.works_on(10).await;
}

async fn a_connection_inside_a_transaction_is_not_given_on(fresh: FreshDatabase) {
    let ledger = Ledger::open(&fresh, 1).await;
    leave_open(ledger.database.writer()).await;
    ledger.works_on(10).await;
    if fresh.address().starts_with("postgres") {
        assert_eq!(ledger.left_open().await, 0);
    }
}

/// Returns a connection to the pool as no call may: inside a transaction.
async fn leave_open(on: &Pool) {
    let mut connection = on.acquire().await.expect("a connection");
    connection.begin("BEGIN").await.expect("a transaction begins");
}

async fn sqlite() -> (FreshDatabase, Ledger) {
    let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("a file");
    let ledger = Ledger::open(&fresh, 1).await;
    mark(ledger.database.writer()).await;
    (fresh, ledger)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_holds_the_write_lock_from_its_first_moment() {
    let (fresh, ledger) = sqlite().await;
    let beside = db::Database::connect_existing(&fresh.url()).await.expect("a connection beside");
    beside.writer().execute_unprepared("PRAGMA busy_timeout = 0").await.expect("no patience");
    let transaction = ledger.database.begin().await.expect("a transaction begins");
    let write = "INSERT INTO ledger (number) VALUES (1)";
    let error = beside.writer().execute_unprepared(write).await.expect_err("the lock is held");
    assert!(error.to_string().contains("locked"), "{error}");
    transaction.rollback().await.expect("rolled back");
    beside.writer().execute_unprepared(write).await.expect("the lock is free");
    ledger.works_on(10).await;
    assert!(is_marked(ledger.database.writer()).await, "an ordinary end closes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_statement_costs_the_connection_and_no_more() {
    let (_fresh, ledger) = sqlite().await;
    let writer = ledger.database.writer();
    let is_over = Arc::new(AtomicBool::new(false));
    let over = is_over.clone();
    let mut lease = writer.acquire().await.expect("the writer");
    let connection = lease.as_sqlite_mut().expect("SQLite");
    let goes_on = move || !over.load(Ordering::Relaxed);
    connection.lock_handle().await.expect("its handle").set_progress_handler(1, goes_on);
    drop(lease);

    let transaction = ledger.database.begin().await.expect("a transaction begins");
    add_in(&transaction, 1).await.expect("a row");
    is_over.store(true, Ordering::Relaxed);
    let error = add_in(&transaction, 2).await.expect_err("interrupted");
    assert!(error.to_string().contains("interrupt"), "{error}");
    assert!(transaction.commit().await.is_err());
    ledger.works_on(10).await;
    assert!(!ledger.has(1).await);
    assert!(!is_marked(writer).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_is_reported_and_closes_the_connection() {
    let (_fresh, ledger) = sqlite().await;
    let writer = ledger.database.writer();
    let transaction = ledger.database.begin().await.expect("a transaction begins");
    add_in(&transaction, 1).await.expect("a row");
    // Deferred: checked by the commit alone, which leaves the transaction open.
    for statement in [
        "CREATE TABLE child (x REFERENCES ledger (number) DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO child VALUES (404)",
    ] {
        transaction.execute_unprepared(statement).await.expect("nothing is checked yet");
    }
    let error = transaction.commit().await.expect_err("a row that is not there");
    assert_eq!(db::class(&error), Kind::Unavailable.into());
    ledger.works_on(10).await;
    assert!(!ledger.has(1).await);
    assert!(!is_marked(writer).await);

    // A hook that refuses: SQLite rolls back by itself.
    mark(writer).await;
    let mut lease = writer.acquire().await.expect("the writer");
    let connection = lease.as_sqlite_mut().expect("SQLite");
    connection.lock_handle().await.expect("its handle").set_commit_hook(|| false);
    drop(lease);
    ledger.add_in_transaction(2).await.expect_err("the hook refuses");
    ledger.works_on(20).await;
    assert!(!ledger.has(2).await);
    assert!(!is_marked(writer).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_any_more_is_reported_and_closes_the_connection() {
    let (fresh, ledger) = sqlite().await;
    let writer = ledger.database.writer();
    let path = fresh.url().file().expect("a file").to_owned();
    writer.execute_unprepared("PRAGMA cache_size = 1").await.expect("a small cache");
    let rows = "INSERT INTO ledger WITH RECURSIVE n(x) AS (VALUES(100) UNION ALL \
                SELECT x + 1 FROM n WHERE x < 400) SELECT x, hex(randomblob(2000)) FROM n";
    writer.execute_unprepared(rows).await.expect("rows");
    writer.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.expect("all in the file");

    // Another connection stays open: the last one to close would checkpoint into the file while it
    // is put back.
    assert!(ledger.has(100).await);
    let transaction = ledger.database.begin().await.expect("a transaction begins");
    add_in(&transaction, 1).await.expect("a row");
    let whole = path.with_extension("whole");
    run(Command::new("cp").arg(&path).arg(&whole));
    run(Command::new("truncate").args(["-s", "12288"]).arg(&path));
    let every = "UPDATE ledger SET filler = lower(filler)";
    transaction.execute_unprepared(every).await.expect_err("pages are gone");
    assert!(transaction.commit().await.is_err());
    // Only the end is written: the pool may open a connection at any time, and one that found an
    // empty file would begin a database in it.
    let mut put_back = Command::new("dd");
    put_back
        .args(["bs=4096", "skip=3", "seek=3", "conv=notrunc", "status=none"])
        .arg(format!("if={}", whole.display()))
        .arg(format!("of={}", path.display()));
    run(&mut put_back);
    ledger.works_on(1000).await;
    assert!(!ledger.has(1).await);
    assert!(!is_marked(writer).await);
}

/// Runs a program that touches the file of a database. A process that opens such a file and closes
/// it again loses all of its locks on the file (POSIX), those of SQLite among them.
fn run(command: &mut Command) {
    assert!(command.status().expect("a program").success(), "{command:?}");
}
