//! A PostgreSQL behind a pooler that gives each transaction another session. The pooler itself is in
//! `tests/faults/poolers.py`.

#![expect(clippy::disallowed_methods, reason = "the table is the test's own")]

use fixtures::{Backend, FreshDatabase};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use server::db::{Database, DatabaseUrl, Pooler};

use crate::ledger::Ledger;

fn behind(pooler: Pooler, fresh: &FreshDatabase) -> DatabaseUrl {
    let address = format!("{}?options[lock_timeout]=7s&options=-c%20work_mem=3MB", fresh.address());
    DatabaseUrl::parse(&address, 1).expect("an address").behind(pooler)
}

/// The settings of the transaction or session, and the number of statements that it has by name.
async fn state(on: &impl ConnectionTrait) -> String {
    let state = "SELECT concat_ws(' ', current_setting('statement_timeout'), \
                 current_setting('lock_timeout'), current_setting('work_mem'), \
                 (SELECT count(*) FROM pg_prepared_statements)) WHERE $1 = 1";
    let query = Statement::from_sql_and_values(DbBackend::Postgres, state, [1.into()]);
    let row = on.query_one_raw(query).await.expect("an answer").expect("a row");
    row.try_get_by_index(0).expect("a text")
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_settings_are_of_a_transaction_and_no_statement_has_a_name() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    for (pooler, expected) in [
        (Pooler::Transaction, "4s 7s 3MB 0"),
        // These name the statement itself.
        (Pooler::Session, "4s 7s 3MB 1"),
        (Pooler::Detect, "4s 7s 3MB 1"),
    ] {
        let database = Database::connect(&behind(pooler, &fresh)).await.expect("it opens");
        for _ in 0..2 {
            assert_eq!(state(database.writer()).await, expected, "{pooler:?}");
        }
        let transaction = database.begin().await.expect("a transaction");
        assert_eq!(state(&transaction).await, expected, "{pooler:?}");
        transaction.rollback().await.expect("rolled back");
        let snapshot = database.begin_snapshot().await.expect("a snapshot");
        assert_eq!(state(&snapshot).await, expected, "{pooler:?}");
        snapshot.rollback().await.expect("rolled back");
        let is_pooled = pooler == Pooler::Transaction;
        assert_eq!(database.is_pooled(), is_pooled, "{pooler:?}");
        assert_eq!(database.listen("any").await.expect("an answer").is_none(), is_pooled);
        database.close().await.expect("closes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_what_fails_is_undone_and_a_reader_writes_nothing() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    let ledger = Ledger::open_at(&behind(Pooler::Transaction, &fresh)).await;
    ledger.add(1).await.expect("a row");
    ledger.add(1).await.expect_err("a number is there once");
    ledger.works_on(10).await;
    let url = behind(Pooler::Transaction, &fresh);
    let reader = Database::connect_read_only(&url).await.expect("a connection");
    let write = reader.writer().execute_unprepared("DELETE FROM ledger").await;
    let error = write.expect_err("read-only").to_string();
    assert!(error.contains("read-only transaction"), "{error}");
    assert!(ledger.has(1).await);
}
