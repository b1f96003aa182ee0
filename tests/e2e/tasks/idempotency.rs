//! Idempotency keys: creations that are safe to repeat.

use std::collections::HashSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use proto::task::v1::{
    CreateTaskRequest, DeleteTaskRequest, Priority, Recurrence, Reminder, Task, UpdateTaskRequest,
};
use shared::clock::ManualClock;
use tonic::{Code, Status};

use crate::{
    answer::Refused,
    caller::{SignedIn, at},
    scenarios::{in_both_worlds, in_both_worlds_with_manual_clock},
    wire::Difference,
    world::World,
};

in_both_worlds!(
    the_same_request_returns_the_same_task_as_it_is_now,
    of_fifty_equal_requests_at_once_one_makes_the_task,
    a_request_id_with_another_body_is_refused,
    a_request_id_whose_task_is_deleted_is_refused,
    request_ids_are_each_users_own,
    a_request_id_is_visible_ascii_of_bounded_length,
    without_a_request_id_every_call_makes_a_task,
);

in_both_worlds_with_manual_clock!(a_request_id_counts_for_a_day);

async fn send(caller: &SignedIn, request: CreateTaskRequest) -> Result<Task, Status> {
    let answer = caller.tasks().create_task(request).await?;
    Ok(answer.into_inner().task.expect("a task"))
}

fn request(caller: &SignedIn, request_id: &str) -> CreateTaskRequest {
    CreateTaskRequest { request_id: request_id.into(), ..caller.new_task("Water the plants") }
}

async fn the_same_request_returns_the_same_task_as_it_is_now(world: &World) {
    let alice = world.alice().await;
    let first = send(&alice, request(&alice, "r-1")).await.expect("a task");
    assert_eq!(send(&alice, request(&alice, "r-1")).await.expect("the same"), first);
    // Spelling a default out, or white space that is trimmed away, is the same body.
    let mut spelled = request(&alice, "r-1");
    spelled.set_priority(Priority::Medium);
    spelled.title = "  Water the plants ".into();
    assert_eq!(send(&alice, spelled).await.expect("the same"), first);

    let rename = UpdateTaskRequest {
        user_id: alice.id(),
        id: first.id.clone(),
        title: Some("Feed the cat".into()),
        ..UpdateTaskRequest::default()
    };
    alice.tasks().update_task(rename).await.expect("updated");
    let now = send(&alice, request(&alice, "r-1")).await.expect("the same");
    assert_eq!((now.id.as_str(), now.title.as_str()), (first.id.as_str(), "Feed the cat"));
    assert_eq!(alice.all_tasks().await, [now]);
}

async fn of_fifty_equal_requests_at_once_one_makes_the_task(world: &World) {
    let alice = world.alice().await;
    let answers = join_all((0..50).map(|_| {
        let alice = alice.clone();
        async move { send(&alice, request(&alice, "r-1")).await }
    }))
    .await;
    let ids: HashSet<String> =
        answers.into_iter().map(|answer| answer.expect("the task").id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(alice.all_tasks().await.len(), 1);
}

async fn a_request_id_with_another_body_is_refused(world: &World) {
    let alice = world.alice().await;
    let first = send(&alice, request(&alice, "r-1")).await.expect("a task");
    let mut bodies = [(); 8].map(|()| request(&alice, "r-1"));
    bodies[0].title = "Feed the cat".into();
    bodies[1].description = "twice".into();
    bodies[2].set_priority(Priority::Low);
    bodies[3].tags = vec!["home".into()];
    bodies[4].due_date = Some("2031-11-25".into());
    bodies[5].due_at = Some(at("2031-11-25T09:00:00Z"));
    bodies[6].reminders =
        vec![Reminder { at: Some(at("2031-11-25T09:00:00Z")), ..Reminder::default() }];
    bodies[7].due_date = Some("2031-11-25".into());
    bodies[7].recurrence = Some(Recurrence { rule: "FREQ=DAILY".into(), ..Recurrence::default() });
    for body in bodies {
        send(&alice, body).await.refused(Code::AlreadyExists, "REQUEST_ID_REUSED");
    }
    assert_eq!(alice.all_tasks().await, [first]);
}

async fn a_request_id_whose_task_is_deleted_is_refused(world: &World) {
    let alice = world.alice().await;
    let task = send(&alice, request(&alice, "r-1")).await.expect("a task");
    let delete = DeleteTaskRequest { user_id: alice.id(), id: task.id, etag: String::new() };
    alice.tasks().delete_task(delete).await.expect("deleted");
    let replay = send(&alice, request(&alice, "r-1")).await;
    replay.refused(Code::AlreadyExists, "REQUEST_ID_REUSED");
    assert!(alice.all_tasks().await.is_empty());
}

async fn request_ids_are_each_users_own(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let hers = send(&alice, request(&alice, "r-1")).await.expect("a task");
    let mut his = request(&bob, "r-1");
    his.title = "Feed the cat".into();
    let his = send(&bob, his).await.expect("a task");
    assert_ne!(hers.id, his.id);
    assert_eq!((alice.all_tasks().await, bob.all_tasks().await), (vec![hers], vec![his]));
}

async fn a_request_id_is_visible_ascii_of_bounded_length(world: &World) {
    let alice = world.alice().await;
    for good in ["~!", &"x".repeat(128)] {
        send(&alice, request(&alice, good)).await.expect("a task");
    }
    let long = "x".repeat(129);
    let mut faulty = vec![" ", "a b", "é", &long];
    if !world.differs(Difference::HeadersHoldNoControlCharacters) {
        faulty.extend(["a\n", "\0"]);
    }
    for bad in faulty {
        let answer = send(&alice, request(&alice, bad)).await;
        assert_eq!(answer.faulty(), ["request_id"], "{bad:?}");
    }
}

async fn without_a_request_id_every_call_makes_a_task(world: &World) {
    let alice = world.alice().await;
    for _ in 0..3 {
        send(&alice, request(&alice, "")).await.expect("a task");
    }
    assert_eq!(alice.all_tasks().await.len(), 3);
}

async fn a_request_id_counts_for_a_day(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    let first = send(&alice, request(&alice, "r-1")).await.expect("a task");
    clock.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    let alice = world.stranger().sign_in("alice@example.com").await;
    assert_eq!(send(&alice, request(&alice, "r-1")).await.expect("the same"), first);
    clock.advance(TimeDelta::seconds(1));
    let second = send(&alice, request(&alice, "r-1")).await.expect("a new one");
    assert_ne!(second.id, first.id);
}
