//! A PostgreSQL that ends a transaction by itself.

#![expect(clippy::disallowed_methods, reason = "the table is the test's own")]

use fixtures::{Backend, FreshDatabase};
use sea_orm::{
    ConnectionTrait,
    sea_query::{Expr, Query},
};
use server::db::{self, Transaction};
use shared::error::Kind;

use crate::{
    cut_off::wait_until,
    ledger::{Ledger, add_in},
};

async fn ledger() -> Option<(FreshDatabase, Ledger)> {
    let fresh = FreshDatabase::new(Backend::Postgres).await?;
    let ledger = Ledger::open(&fresh, 1).await;
    Some((fresh, ledger))
}

/// Ends the session of a transaction from outside.
async fn end_session(of: &Transaction, ledger: &Ledger) {
    let mut query = Query::select();
    query.expr(Expr::cust("pg_backend_pid()"));
    let row = of.query_one(&query).await.expect("it answers").expect("a row");
    let pid: i32 = row.try_get_by_index(0).expect("a number");
    ledger.end_session(pid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_ended_is_reported_and_replaced() {
    let Some((_fresh, ledger)) = ledger().await else { return };
    for (number, statement_first) in [(1, true), (2, false)] {
        let transaction = ledger.database.begin().await.expect("a transaction begins");
        add_in(&transaction, number).await.expect("a row");
        end_session(&transaction, &ledger).await;
        if statement_first {
            let error = add_in(&transaction, 3).await.expect_err("the session has ended");
            assert_eq!(db::class(&error), Kind::Unavailable.into());
        }
        let error = transaction.commit().await.expect_err("the session has ended");
        assert_eq!(db::class(&error), Kind::Unavailable.into());
        assert!(!ledger.has(number).await);
        ledger.works_on(i64::from(statement_first) * 10 + 10).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_ends_its_transaction_alone() {
    let Some((_fresh, ledger)) = ledger().await else { return };
    let transaction = ledger.database.begin().await.expect("a transaction begins");
    add_in(&transaction, 1).await.expect("a row");
    let hurry = "SET LOCAL statement_timeout = '20ms'";
    transaction.execute_unprepared(hurry).await.expect("a limit");
    let error = transaction.execute_unprepared("SELECT pg_sleep(5)").await.expect_err("too long");
    assert_eq!(db::class(&error), Kind::Unavailable.into());
    assert!(transaction.commit().await.is_err());
    assert!(!ledger.has(1).await);
    ledger.works_on(10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_server_stores_nothing_and_reports_it() {
    let Some((_fresh, ledger)) = ledger().await else { return };
    let transaction = ledger.database.begin().await.expect("a transaction begins");
    let read_only = "SET TRANSACTION READ ONLY";
    transaction.execute_unprepared(read_only).await.expect("as on a standby");
    let error = add_in(&transaction, 1).await.expect_err("nothing is written");
    assert_eq!(db::class(&error), Kind::Unavailable.into());
    assert!(transaction.commit().await.is_err());
    ledger.works_on(10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_the_driver_does_not_know_is_found_by_asking_the_server() {
    let Some((_fresh, ledger)) = ledger().await else { return };
    let pool = ledger.database.writer();
    let open = "BEGIN; LOCK TABLE ledger IN EXCLUSIVE MODE";
    pool.execute_unprepared(open).await.expect("behind its back");
    wait_until(async || {
        drop(pool.acquire().await.expect("a connection"));
        ledger.left_open().await == 0
    })
    .await;
    ledger.works_on(10).await;
}

/// As after a server was demoted: a connection to it would refuse all writes, for as long as it
/// lives.
#[tokio::test(flavor = "multi_thread")]
async fn connections_to_a_server_that_became_read_only_are_closed_by_the_first_refusal() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    let ledger = Ledger::open(&fresh, 2).await;
    let pool = ledger.database.writer();
    let (mut one, mut other) = tokio::try_join!(pool.acquire(), pool.acquire()).expect("two");
    for connection in [&mut one, &mut other] {
        let demote = "SET default_transaction_read_only = on";
        connection.execute_unprepared(demote).await.expect("a setting");
    }
    drop((one, other));
    wait_until(async || pool.idle() == 2).await;
    let add = async |number| {
        let transaction = ledger.database.begin().await.expect("a transaction begins");
        add_in(&transaction, number).await?;
        transaction.commit().await
    };
    let error = add(1).await.expect_err("nothing is written");
    assert_eq!(db::class(&error), Kind::Unavailable.into());
    add(2).await.expect("another connection");
    add(3).await.expect("and it stays");
}
