//! One suite, three places to count in, the same results.

mod outages;
mod places;
mod rule;

use std::time::Duration;

use self::places::{Place, key, on_every_place};
use super::{
    counter::{Attempt, Outcome},
    key::Key,
    limit::Limit,
};

/// Long enough that no pause of a busy machine matters.
const SPAN: Duration = Duration::from_mins(10);

/// Five at once, then one every hundred seconds.
fn ten() -> Limit {
    Limit::new(10, SPAN)
}

on_every_place!(
    half_come_at_once_and_the_others_one_by_one,
    a_hundred_at_the_same_instant_find_no_gap,
    what_is_given_back_is_there_again,
    time_and_giving_back_do_not_add_up,
    keys_have_nothing_to_do_with_each_other,
);

async fn taken(place: &Place, key: Key) -> Attempt {
    match place.counter.take(key, ten()).await.expect("counted") {
        Outcome::Taken(attempt) => attempt,
        Outcome::Refused { wait } => panic!("refused for {wait:?}"),
    }
}

async fn refused(place: &Place, key: Key) -> Duration {
    match place.counter.take(key, ten()).await.expect("counted") {
        Outcome::Taken(_) => panic!("taken"),
        Outcome::Refused { wait } => wait,
    }
}

async fn half_come_at_once_and_the_others_one_by_one(place: Place) {
    let key = key("ada");
    for _ in 0..5 {
        taken(&place, key).await;
    }
    let wait = refused(&place, key).await;
    assert!((91..=100).contains(&wait.as_secs()), "{wait:?}");
    place.pass(Duration::from_secs(50), &[key]).await;
    let wait = refused(&place, key).await;
    assert!((41..=50).contains(&wait.as_secs()), "{wait:?}");
    for _ in 0..3 {
        place.pass(Duration::from_secs(100), &[key]).await;
        taken(&place, key).await;
        refused(&place, key).await;
    }
    place.pass(SPAN, &[key]).await;
    for _ in 0..5 {
        taken(&place, key).await;
    }
    refused(&place, key).await;
}

async fn a_hundred_at_the_same_instant_find_no_gap(place: Place) {
    let key = key("ada");
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let counter = place.counter.clone();
        tries.spawn(async move { counter.take(key, ten()).await.expect("counted") });
    }
    let outcomes = tries.join_all().await;
    let taken = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Taken(_))).count();
    assert_eq!(taken, 5);
}

async fn what_is_given_back_is_there_again(place: Place) {
    let key = key("ada");
    for _ in 0..20 {
        let attempt = taken(&place, key).await;
        place.counter.give_back(attempt).await;
    }
    let mut attempts = Vec::new();
    for _ in 0..5 {
        attempts.push(taken(&place, key).await);
    }
    refused(&place, key).await;
    place.counter.give_back(attempts.remove(0)).await;
    taken(&place, key).await;
    refused(&place, key).await;
}

/// Whoever holds attempts back until they are forgotten anyway gains nothing by it.
async fn time_and_giving_back_do_not_add_up(place: Place) {
    let key = key("ada");
    let early = taken(&place, key).await;
    let early = place.pass_holding(Duration::from_secs(200), key, early).await;
    for _ in 0..5 {
        taken(&place, key).await;
    }
    place.counter.give_back(early).await;
    refused(&place, key).await;
}

async fn keys_have_nothing_to_do_with_each_other(place: Place) {
    let (ada, bob) = (key("ada"), key("bob"));
    for _ in 0..5 {
        taken(&place, ada).await;
    }
    refused(&place, ada).await;
    taken(&place, bob).await;
}
