//! Creations that are safe to repeat.

use tokio::task::JoinSet;

use super::world::{World, on_both, owner, requested, titled};
use crate::{
    error::Error,
    task::{NewTask, Priority},
};

const DAY: i64 = 24 * 60 * 60;

#[tokio::test]
async fn a_repeat_returns_the_task_as_it_is_now_and_changes_nothing() {
    on_both(async |world: World| {
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
    })
    .await;
}

#[tokio::test]
async fn without_a_request_id_every_call_makes_a_task() {
    on_both(async |world: World| {
        let alice = owner("alice");
        assert_ne!(world.made(&alice, "a").await.id, world.made(&alice, "a").await.id);
    })
    .await;
}

#[tokio::test]
async fn fifty_repeats_at_once_make_one_task() {
    on_both(async |world: World| {
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
    })
    .await;
}

#[tokio::test]
async fn another_body_or_a_deleted_task_refuses_the_key() {
    on_both(async |world: World| {
        let alice = owner("alice");
        let made = world.tasks.create(&alice, requested("a", "key")).await.expect("created");
        for other in
            [requested("b", "key"), NewTask { priority: Priority::High, ..requested("a", "key") }]
        {
            let answer = world.tasks.create(&alice, other).await;
            assert!(matches!(answer, Err(Error::RequestIdReused)));
        }
        world.tasks.delete(&alice, made.id, None).await.expect("deleted");
        let answer = world.tasks.create(&alice, requested("a", "key")).await;
        assert!(matches!(answer, Err(Error::RequestIdReused)));
        assert_eq!(world.titles(&alice).await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn after_a_day_a_key_is_free_again_swept_or_not() {
    on_both(async |world: World| {
        let alice = owner("alice");
        let first = world.tasks.create(&alice, requested("a", "key")).await.expect("created");
        world.later(DAY);
        let second = world.tasks.create(&alice, requested("b", "key")).await.expect("created");
        assert_ne!(first.id, second.id);
        assert_eq!(world.tasks.create(&alice, requested("b", "key")).await.expect("same"), second);
        world.later(DAY);
        assert_eq!(world.tasks.forget_expired_requests().await.expect("swept"), 1);
        let third = world.tasks.create(&alice, requested("b", "key")).await.expect("created");
        assert_ne!(third.id, second.id);
    })
    .await;
}

#[tokio::test]
async fn sweeps_forget_all_that_expired_and_nothing_else() {
    on_both(async |world: World| {
        let alice = owner("alice");
        for n in 0..7 {
            let new = requested("old", &format!("old-{n}"));
            world.tasks.create(&alice, new).await.expect("created");
        }
        world.later(DAY / 2);
        world.tasks.create(&owner("bob"), requested("new", "new")).await.expect("created");
        assert_eq!(world.tasks.forget_expired_requests().await.expect("swept"), 0);
        world.later(DAY / 2);
        let (one, other) = tokio::join!(
            world.tasks.forget_expired_requests(),
            world.tasks.forget_expired_requests(),
        );
        assert_eq!(one.expect("swept") + other.expect("swept"), 7);
        let answer = world.tasks.create(&owner("bob"), requested("other", "new")).await;
        assert!(matches!(answer, Err(Error::RequestIdReused)));
        world.tasks.create(&alice, titled("still works")).await.expect("created");
    })
    .await;
}

#[tokio::test]
async fn a_sweep_goes_on_until_all_is_forgotten() {
    on_both(async |world: World| {
        let alice = owner("alice");
        for n in 0..5 {
            let new = requested("old", &format!("old-{n}"));
            world.tasks.create(&alice, new).await.expect("created");
        }
        world.later(DAY);
        let now = crate::moment::Moment::now(&*world.clock);
        let swept = crate::store::requests::forget_expired_by(&world.database, now, 2).await;
        assert_eq!(swept.expect("swept"), 5);
    })
    .await;
}
