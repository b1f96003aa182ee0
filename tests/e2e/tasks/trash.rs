//! The trash: what was deleted can come back as it was.

use futures_util::future::join_all;
use proto::task::v1::{ListTasksRequest, Recurrence, Reminder, Task, ToggleTaskRequest};
use tonic::Code;

use crate::{
    answer::Refused, caller::at, ownership::every_rpc_with_id, scenarios::in_both_worlds,
    world::World,
};

in_both_worlds!(
    a_deleted_task_comes_back_as_it_was,
    in_the_trash_a_task_is_not_found_by_anything_else,
    taking_back_what_is_not_in_the_trash_changes_nothing,
    of_many_deletions_at_once_one_deletes,
);

async fn a_deleted_task_comes_back_as_it_was(world: &World) {
    let alice = world.alice().await;
    let made = alice.make("Water the plants", |new| {
        new.description = "twice".into();
        new.tags = vec!["Home".into()];
        new.due_at = Some(at("2031-11-24T08:00:00Z"));
        new.due_zone = Some("Europe/Berlin".into());
        new.reminders = vec![Reminder { minutes_before: Some(5), ..Reminder::default() }];
        new.recurrence = Some(Recurrence { rule: "FREQ=DAILY".into(), ..Recurrence::default() });
    });
    let open = made.await.expect("a task");
    let done = alice.create("Rest").await;
    let done = alice.complete(&done.id).await.expect("completed");
    for task in [open, done] {
        alice.delete(&task.id).await.expect("deleted");
        let back = alice.undelete(&task.id).await.expect("it is back");
        let expected = Task { etag: back.etag.clone(), ..task.clone() };
        assert_eq!(back, expected);
        assert_ne!(back.etag, task.etag, "its version is another one");
        assert_eq!(alice.get(&task.id).await.expect("the task"), back);
    }
    assert_eq!(alice.all_tasks().await.len(), 2);
}

async fn in_the_trash_a_task_is_not_found_by_anything_else(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let task = alice.create("gone").await;
    alice.delete(&task.id).await.expect("deleted");
    for (rpc, answer) in every_rpc_with_id(bob.tasks(), &bob.id(), &task.id).await {
        assert_eq!(answer.status().code(), Code::NotFound, "{rpc}: it is not his");
    }
    assert!(alice.all_tasks().await.is_empty());
    let counted = ListTasksRequest {
        user_id: alice.id(),
        include_total: true,
        ..ListTasksRequest::default()
    };
    let counted = alice.tasks().list_tasks(counted).await.expect("a page").into_inner();
    assert_eq!(counted.total_size, Some(0));
    let toggle =
        ToggleTaskRequest { user_id: alice.id(), id: task.id.clone(), etag: String::new() };
    for answer in [
        alice.get(&task.id).await.map(drop),
        alice.change(&task.id, &[], |it| it.title = Some("x".into())).await.map(drop),
        alice.complete(&task.id).await.map(drop),
        alice.reopen(&task.id).await.map(drop),
        alice.tasks().toggle_task(toggle).await.map(drop),
        alice.put(&task.id, None, None).await.map(drop),
        alice.skip(&task.id, "").await.map(drop),
        alice.delete(&task.id).await,
    ] {
        answer.refused(Code::NotFound, "TASK_NOT_FOUND");
    }
    assert_eq!(alice.undelete(&task.id).await.expect("it is back").title, "gone");
}

async fn taking_back_what_is_not_in_the_trash_changes_nothing(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("here").await;
    assert_eq!(alice.undelete(&task.id).await.expect("left alone"), task);
    alice.delete(&task.id).await.expect("deleted");
    let back = alice.undelete(&task.id).await.expect("it is back");
    assert_eq!(alice.undelete(&task.id).await.expect("left alone"), back);
    for unknown in ["nonsense", "01890f3e-5a7d-7e9b-8c0f-46285a7d3e9b"] {
        alice.undelete(unknown).await.refused(Code::NotFound, "TASK_NOT_FOUND");
    }
}

async fn of_many_deletions_at_once_one_deletes(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("gone").await;
    let answers = join_all((0..10).map(|_| alice.delete(&task.id))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let back = join_all((0..10).map(|_| alice.undelete(&task.id))).await;
    let mut back: Vec<_> = back.into_iter().map(|task| task.expect("it is back").etag).collect();
    back.dedup();
    assert_eq!(back.len(), 1, "once");
}
