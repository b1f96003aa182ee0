//! Queries whose connections the server ends: in whatever order, none fails.

#![expect(clippy::disallowed_methods, reason = "the table is the test's own")]

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use fixtures::{Backend, FreshDatabase};
use futures_util::future::{join, join_all};
use sea_orm::{
    ConnectionTrait, ExprTrait,
    sea_query::{Expr, Query},
};
use server::db::{self, Database};
use shared::error::Kind;

use crate::ledger::{Ledger, add_in};

const READERS: usize = 8;

/// The end of every other session of this database in which nothing runs.
const END_IDLE: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
     WHERE datname = current_database() AND state = 'idle' AND pid <> pg_backend_pid()";

async fn read(database: &Database) -> Result<i64, sea_orm::DbErr> {
    let mut query = Query::select();
    query.expr(Expr::col("number").count()).from("ledger");
    let row = database.reader().query_one(&query).await?.expect("a row");
    row.try_get_by_index(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_whose_session_was_ended_while_idle_is_answered() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    let ledger = Ledger::open(&fresh, 8).await;
    ledger.add(1).await.expect("a row");
    let killer = Database::connect_existing(&fresh.url()).await.expect("a connection beside");
    let (counts, is_over) = ([const { AtomicU32::new(0) }; READERS], AtomicBool::new(false));
    let reads = join_all(counts.iter().map(async |count| {
        while !is_over.load(Relaxed) {
            assert_eq!(read(&ledger.database).await.expect("an answer"), 1);
            count.fetch_add(1, Relaxed);
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }));
    let kills = async {
        for _ in 0..8 {
            killer.writer().execute_unprepared(END_IDLE).await.expect("ended");
            // A second attempt has a connection of its own, which is not to be ended as well.
            let before = counts.each_ref().map(|count| count.load(Relaxed));
            while counts.iter().zip(before).any(|(now, before)| now.load(Relaxed) < before + 3) {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        }
        is_over.store(true, Relaxed);
    };
    tokio::time::timeout(Duration::from_mins(1), join(reads, kills)).await.expect("in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_begins_on_another_connection_where_one_was_ended_while_idle() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    let ledger = Ledger::open(&fresh, 4).await;
    let killer = Database::connect_existing(&fresh.url()).await.expect("a connection beside");
    for number in 0..20 {
        killer.writer().execute_unprepared(END_IDLE).await.expect("ended");
        ledger.add_in_transaction(number).await.expect("a change");
    }
}

/// A session that others had before can be read-only where the server is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_on_which_a_write_was_refused_as_read_only_is_not_used_again() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    let ledger = Ledger::open(&fresh, 1).await;
    let demote = "SET default_transaction_read_only = on";
    ledger.database.writer().execute_unprepared(demote).await.expect("as after a failover");
    let error = ledger.add(1).await.expect_err("nothing is written");
    assert_eq!(db::class(&error), Kind::Unavailable.into());
    ledger.add(1).await.expect("on another connection");

    ledger.database.writer().execute_unprepared(demote).await.expect("once more");
    let transaction = ledger.database.begin().await.expect("a transaction");
    add_in(&transaction, 2).await.expect_err("nothing is written");
    transaction.rollback().await.expect("rolled back");
    ledger.works_on(10).await;
}
