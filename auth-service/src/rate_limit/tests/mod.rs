//! Rate limit tests: one suite for three counters.

mod counters;
mod outages;
mod rule;

use std::time::Duration;

use self::counters::{TestCounter, key, on_every_counter};
use super::{
    counter::{Attempt, Counter},
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
    keys_are_counted_in_order_up_to_the_first_without_attempts,
    calls_with_the_same_keys_in_any_order_share_the_attempts,
);

/// One attempt. `Err`: how long until there is one.
async fn take(counter: &Counter, key: Key) -> Result<Attempt, Duration> {
    let mut outcomes = counter.take(&[(key, ten())]).await.expect("counted");
    match outcomes.refused {
        Some((_, wait)) => Err(wait),
        None => Ok(outcomes.taken.remove(0).1),
    }
}

async fn taken(test: &TestCounter, key: Key) -> Attempt {
    take(&test.counter, key).await.expect("one is left")
}

async fn refused(test: &TestCounter, key: Key) -> Duration {
    take(&test.counter, key).await.err().expect("none is left")
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
        tries.spawn(async move { take(&counter, key).await.is_ok() });
    }
    let taken = tries.join_all().await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 5);
}

async fn a_refunded_attempt_is_free_again(test: TestCounter) {
    let key = key("ada");
    for _ in 0..20 {
        let attempt = taken(&test, key).await;
        test.counter.refund(vec![attempt]).await;
    }
    let mut attempts = Vec::new();
    for _ in 0..5 {
        attempts.push(taken(&test, key).await);
    }
    refused(&test, key).await;
    test.counter.refund(vec![attempts.remove(0)]).await;
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
    test.counter.refund(vec![early]).await;
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

async fn keys_are_counted_in_order_up_to_the_first_without_attempts(test: TestCounter) {
    let [ada, bob, cleo] = ["ada", "bob", "cleo"].map(key);
    let all = [ada, bob, cleo].map(|key| (key, ten()));
    for _ in 0..5 {
        taken(&test, bob).await;
    }
    let mut outcomes = test.counter.take(&all).await.expect("counted");
    assert!(matches!(outcomes.refused, Some((1, wait)) if wait.as_secs() > 90));
    assert_eq!(outcomes.taken.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [0]);
    test.counter.refund(vec![outcomes.taken.remove(0).1]).await;

    // None of those after the refused one was counted, and the first is refunded.
    let both = [ada, cleo].map(|key| (key, ten()));
    let mut attempts = Vec::new();
    for _ in 0..5 {
        let outcomes = test.counter.take(&both).await.expect("counted");
        assert!(outcomes.refused.is_none());
        attempts.extend(outcomes.taken.into_iter().map(|(_, attempt)| attempt));
    }
    refused(&test, ada).await;
    refused(&test, cleo).await;
    test.counter.refund(attempts).await;
    for _ in 0..5 {
        taken(&test, ada).await;
        taken(&test, cleo).await;
    }
    refused(&test, ada).await;
}

async fn calls_with_the_same_keys_in_any_order_share_the_attempts(test: TestCounter) {
    let keys = ["ada", "bob", "cleo", "dan", "eve"].map(key);
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..100 {
        let (counter, mut keys) = (test.counter.clone(), keys.map(|key| (key, ten())));
        keys.rotate_left(number % 5);
        tries.spawn(async move {
            let outcomes = counter.take(&keys).await.expect("counted");
            let is_taken = outcomes.refused.is_none();
            if number % 2 == 0 || !is_taken {
                counter.refund(outcomes.taken.into_iter().map(|(_, taken)| taken).collect()).await;
                return 0;
            }
            1
        });
    }
    let kept: usize = tries.join_all().await.into_iter().sum();
    assert!(kept <= 5, "{kept}");
    for _ in kept..5 {
        for key in keys {
            taken(&test, key).await;
        }
    }
    for key in keys {
        refused(&test, key).await;
    }
}
