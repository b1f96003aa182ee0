//! Rate limit tests: one suite for three counters.

mod counters;
mod outages;
mod rule;

use std::time::Duration;

use self::counters::{TestCounter, key, on_every_counter};
use super::{
    counter::{Attempt, Outcome},
    gcra::Limit,
    key::Key,
};

/// Long enough that no pause of a busy machine matters.
const SPAN: Duration = Duration::from_mins(10);

/// Five at once, then one every hundred seconds.
fn ten() -> Limit {
    Limit::new(10, SPAN)
}

on_every_counter!(
    half_come_at_once_and_the_others_one_by_one,
    a_hundred_at_the_same_instant_find_no_gap,
    a_refunded_attempt_is_free_again,
    expiry_and_refund_do_not_add_up,
    keys_are_independent,
);

async fn taken(test: &TestCounter, key: Key) -> Attempt {
    match test.counter.take(key, ten()).await.expect("counted") {
        Outcome::Taken(attempt) => attempt,
        Outcome::Refused { wait } => panic!("refused for {wait:?}"),
    }
}

async fn refused(test: &TestCounter, key: Key) -> Duration {
    match test.counter.take(key, ten()).await.expect("counted") {
        Outcome::Taken(_) => panic!("taken"),
        Outcome::Refused { wait } => wait,
    }
}

async fn half_come_at_once_and_the_others_one_by_one(test: TestCounter) {
    let key = key("ada");
    for _ in 0..5 {
        taken(&test, key).await;
    }
    let wait = refused(&test, key).await;
    assert!((91..=100).contains(&wait.as_secs()), "{wait:?}");
    test.pass(Duration::from_secs(50), &[key]).await;
    let wait = refused(&test, key).await;
    assert!((41..=50).contains(&wait.as_secs()), "{wait:?}");
    for _ in 0..3 {
        test.pass(Duration::from_secs(100), &[key]).await;
        taken(&test, key).await;
        refused(&test, key).await;
    }
    test.pass(SPAN, &[key]).await;
    for _ in 0..5 {
        taken(&test, key).await;
    }
    refused(&test, key).await;
}

async fn a_hundred_at_the_same_instant_find_no_gap(test: TestCounter) {
    let key = key("ada");
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let counter = test.counter.clone();
        tries.spawn(async move { counter.take(key, ten()).await.expect("counted") });
    }
    let outcomes = tries.join_all().await;
    let taken = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Taken(_))).count();
    assert_eq!(taken, 5);
}

async fn a_refunded_attempt_is_free_again(test: TestCounter) {
    let key = key("ada");
    for _ in 0..20 {
        let attempt = taken(&test, key).await;
        test.counter.refund(attempt).await;
    }
    let mut attempts = Vec::new();
    for _ in 0..5 {
        attempts.push(taken(&test, key).await);
    }
    refused(&test, key).await;
    test.counter.refund(attempts.remove(0)).await;
    taken(&test, key).await;
    refused(&test, key).await;
}

/// Attempts that are refunded after their expiry free nothing.
async fn expiry_and_refund_do_not_add_up(test: TestCounter) {
    let key = key("ada");
    let early = taken(&test, key).await;
    let early = test.pass_holding(Duration::from_secs(200), key, early).await;
    for _ in 0..5 {
        taken(&test, key).await;
    }
    test.counter.refund(early).await;
    refused(&test, key).await;
}

async fn keys_are_independent(test: TestCounter) {
    let (ada, bob) = (key("ada"), key("bob"));
    for _ in 0..5 {
        taken(&test, ada).await;
    }
    refused(&test, ada).await;
    taken(&test, bob).await;
}
