//! Calls that end in the middle, as they do when a client hangs up.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, DbErr};
use server::db::Database;

use crate::ledger::{Ledger, add_in};

/// At how many places each kind of call is cut off: more than it has.
const PLACES: usize = 24;

/// How often each is cut off at each place.
const ROUNDS: usize = 6;

on_both_databases!(calls_that_are_cut_off_lose_nothing, a_panic_rolls_back);

async fn calls_that_are_cut_off_lose_nothing(fresh: FreshDatabase) {
    let ledger = Ledger::open(&fresh, 2).await;
    let (mut number, mut unseen) = (0, Vec::new());
    for _ in 0..ROUNDS {
        for polls in 1..=PLACES {
            for kind in [Kind::Commit, Kind::Rollback, Kind::Drop, Kind::Snapshot, Kind::Single] {
                number += 2;
                let database = ledger.database.clone();
                let call = Box::pin(async move { call(&database, kind, number).await });
                CutOff { call, polls }.await;
                ledger.add(number + 1).await.expect("a call that is not cut off goes through");
                if !ledger.has(number + 1).await {
                    unseen.push((polls, kind));
                }
            }
        }
    }
    assert!(unseen.is_empty(), "answered and not stored, after {unseen:?}");
    if fresh.address().starts_with("postgres") {
        // A transaction whose call was cut off is rolled back right after.
        wait_until(async || ledger.left_open().await == 0).await;
    }
    ledger.works_on(number + 10).await;
}

async fn a_panic_rolls_back(fresh: FreshDatabase) {
    let ledger = Ledger::open(&fresh, 1).await;
    let database = ledger.database.clone();
    let panicking = tokio::spawn(async move {
        let transaction = database.begin().await.expect("a transaction begins");
        add_in(&transaction, 1).await.expect("a row is written");
        panic!("on purpose");
    });
    assert!(panicking.await.is_err_and(|error| error.is_panic()));
    ledger.works_on(10).await;
    assert!(!ledger.has(1).await);
}

/// Waits until `condition` holds, within reason.
pub async fn wait_until(condition: impl AsyncFn() -> bool) {
    for _ in 0..200 {
        if condition().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("what was waited for does not come");
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Commit,
    Rollback,
    Drop,
    Snapshot,
    Single,
}

async fn call(on: &Database, kind: Kind, number: i64) -> Result<(), DbErr> {
    let insert = format!("INSERT INTO ledger (number) VALUES ({number})");
    match kind {
        Kind::Single => return on.writer().execute_unprepared(&insert).await.map(drop),
        Kind::Snapshot => {
            let transaction = on.begin_snapshot().await?;
            transaction.execute_unprepared("SELECT number FROM ledger").await?;
            return transaction.commit().await;
        }
        _ => {}
    }
    let transaction = on.begin().await?;
    transaction.execute_unprepared(&insert).await?;
    match kind {
        Kind::Commit => transaction.commit().await?,
        Kind::Rollback => drop(transaction.rollback().await),
        _ => {}
    }
    Ok(())
}

/// A call that goes on for so many steps at most, and is dropped then.
struct CutOff<C> {
    call: Pin<Box<C>>,
    polls: usize,
}

impl<C: Future> Future for CutOff<C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.polls == 0 {
            return Poll::Ready(());
        }
        self.polls -= 1;
        let done = self.call.as_mut().poll(context).map(drop);
        if self.polls == 0 { Poll::Ready(()) } else { done }
    }
}
