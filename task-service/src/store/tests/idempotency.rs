//! Creations that are safe to repeat.

use fixtures::{FreshDatabase, on_both_databases};
use shared::error::Refusal;
use tokio::task::JoinSet;

use super::world::{World, every_user, owner, requested, titled, with_key};
use crate::{
    domain::task::{Content, Priority},
    error::Error,
};

on_both_databases!(
    a_repeat_returns_the_task_as_it_is_now_and_changes_nothing,
    without_a_request_id_every_call_makes_a_task,
    fifty_repeats_at_once_make_one_task,
    another_body_or_a_deleted_task_refuses_the_key,
    after_a_day_a_key_is_free_again_swept_or_not,
    sweeps_forget_all_that_expired_and_nothing_else,
    retention_deletes_batch_by_batch_until_all_is_expired,
);

const DAY: i64 = 24 * 60 * 60;

async fn a_repeat_returns_the_task_as_it_is_now_and_changes_nothing(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.tasks.create(&alice, requested("a", "key")).await.expect("created");
    let now = world.tasks.complete(&alice, made.id).await.expect("completed");
    world.later(DAY - 1);
    let again = world.tasks.create(&alice, requested("a", "key")).await.expect("repeated");
    assert_eq!(again, now);
    assert_eq!(world.titles(&alice).await, ["a"]);
    let other = world.tasks.create(&alice, requested("a", "KEY")).await.expect("created");
    assert_ne!(other.id, made.id);
    assert_eq!(other.revision, now.revision + 1);
}

async fn without_a_request_id_every_call_makes_a_task(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    assert_ne!(world.made(&alice, "a").await.id, world.made(&alice, "a").await.id);
}

async fn fifty_repeats_at_once_make_one_task(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let (tasks, alice) = (world.tasks.clone(), alice.clone());
        calls.spawn(async move { tasks.create(&alice, requested("a", "key")).await });
    }
    let answers = calls.join_all().await;
    let mut tasks: Vec<_> = answers.into_iter().map(|task| task.expect("created")).collect();
    tasks.dedup();
    assert_eq!(tasks.len(), 1);
    assert_eq!(world.titles(&alice).await, ["a"]);
}

async fn another_body_or_a_deleted_task_refuses_the_key(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.tasks.create(&alice, requested("a", "key")).await.expect("created");
    let urgent = Content { priority: Priority::High, ..titled("a") };
    for other in [requested("b", "key"), with_key(urgent, "key")] {
        let answer = world.tasks.create(&alice, other).await;
        assert!(matches!(answer, Err(Error::Refused(Refusal::RequestIdReused))));
    }
    world.tasks.delete(&alice, made.id, None).await.expect("deleted");
    let answer = world.tasks.create(&alice, requested("a", "key")).await;
    assert!(matches!(answer, Err(Error::Refused(Refusal::RequestIdReused))));
    assert_eq!(world.titles(&alice).await, [""; 0]);
}

async fn after_a_day_a_key_is_free_again_swept_or_not(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let first = world.tasks.create(&alice, requested("a", "key")).await.expect("created");
    world.later(DAY);
    let second = world.tasks.create(&alice, requested("b", "key")).await.expect("created");
    assert_ne!(first.id, second.id);
    assert_eq!(world.tasks.create(&alice, requested("b", "key")).await.expect("same"), second);
    world.later(DAY);
    assert_eq!(world.tasks.delete_expired_keys(every_user()).await.expect("swept"), 1);
    let third = world.tasks.create(&alice, requested("b", "key")).await.expect("created");
    assert_ne!(third.id, second.id);
}

async fn sweeps_forget_all_that_expired_and_nothing_else(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    for n in 0..7 {
        let new = requested("old", &format!("old-{n}"));
        world.tasks.create(&alice, new).await.expect("created");
    }
    world.later(DAY / 2);
    world.tasks.create(&owner("bob"), requested("new", "new")).await.expect("created");
    assert_eq!(world.tasks.delete_expired_keys(every_user()).await.expect("swept"), 0);
    world.later(DAY / 2);
    let (one, other) = tokio::join!(
        world.tasks.delete_expired_keys(every_user()),
        world.tasks.delete_expired_keys(every_user()),
    );
    assert_eq!(one.expect("swept") + other.expect("swept"), 7);
    let answer = world.tasks.create(&owner("bob"), requested("other", "new")).await;
    assert!(matches!(answer, Err(Error::Refused(Refusal::RequestIdReused))));
    world.tasks.create(&alice, titled("still works")).await.expect("created");
}

async fn retention_deletes_batch_by_batch_until_all_is_expired(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    for n in 0..5 {
        let new = requested("old", &format!("old-{n}"));
        world.tasks.create(&alice, new).await.expect("created");
    }
    world.later(DAY);
    let now = crate::domain::timestamp::Timestamp::now(&*world.clock);
    let swept =
        crate::store::idempotency::delete_expired_keys_by(&world.database, every_user(), now, 2)
            .await;
    assert_eq!(swept.expect("swept"), 5);
}
