//! SQLite on a disk that is full: `max_page_count` is to the file what the end of the disk
//! is. It counts for the connection that writes.

use fixtures::{Backend, FreshDatabase};
use sea_orm::{ConnectionTrait, DbErr};
use server::db;
use shared::error::Refusal;

use crate::ledger::{Ledger, add_in, is_marked, mark};

/// A row that fits into no rest of the last pages.
const LARGE: &str = "INSERT INTO ledger VALUES (1, hex(randomblob(500000)))";

async fn full_ledger() -> (FreshDatabase, Ledger) {
    let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("a file");
    let ledger = Ledger::open(&fresh, 1).await;
    let writer = ledger.database.writer();
    mark(writer).await;
    writer.execute_unprepared("PRAGMA max_page_count = 20").await.expect("a limit");
    (fresh, ledger)
}

/// Frees space on the disk, where the limited connection still exists.
async fn free_space(ledger: &Ledger) {
    let unlimited = "PRAGMA max_page_count = 1000000";
    ledger.database.writer().execute_unprepared(unlimited).await.expect("no limit");
}

fn assert_full(error: &DbErr) {
    assert!(error.to_string().contains("full"), "{error}");
    assert_eq!(db::class(error), Refusal::StorageFull.into(), "it may succeed once there is room");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_found_the_disk_full_spoils_none_after_it() {
    for ends in ["dropped", "rolled back", "committed"] {
        let (_fresh, ledger) = full_ledger().await;
        let transaction = ledger.database.begin().await.expect("a transaction begins");
        add_in(&transaction, 2).await.expect("a small row fits");
        assert_full(&transaction.execute_unprepared(LARGE).await.expect_err("no room"));
        let after = transaction.execute_unprepared("SELECT 1").await;
        assert!(after.is_err(), "nothing more is done in a transaction that failed");
        match ends {
            "dropped" => drop(transaction),
            "rolled back" => drop(transaction.rollback().await),
            _ => assert!(transaction.commit().await.is_err(), "a failure is not committed"),
        }
        free_space(&ledger).await;
        ledger.works_on(10).await;
        assert!(!ledger.has(2).await, "{ends}: all or nothing");
        assert!(!is_marked(ledger.database.writer()).await, "the connection is another one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_found_the_disk_full_spoils_none_after_it() {
    let (_fresh, ledger) = full_ledger().await;
    let writer = ledger.database.writer();
    assert_full(&writer.execute_unprepared(LARGE).await.expect_err("no room"));
    free_space(&ledger).await;
    ledger.works_on(10).await;
    assert!(!ledger.has(1).await);
}
