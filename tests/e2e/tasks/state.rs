//! Completing and reopening.

use proto::task::v1::{CompleteTaskRequest, ReopenTaskRequest, Task, ToggleTaskRequest};

use crate::{caller::SignedIn, scenarios::in_both_worlds, world::World};

in_both_worlds!(
    completing_twice_keeps_the_first_time,
    reopening_clears_the_time_and_reopening_again_changes_nothing,
    toggling_goes_back_and_forth,
);

async fn complete(caller: &SignedIn, id: &str) -> Task {
    let request = CompleteTaskRequest { user_id: caller.id(), id: id.into(), etag: String::new() };
    let answer = caller.tasks().complete_task(request).await.expect("completed");
    answer.into_inner().task.expect("a task")
}

async fn reopen(caller: &SignedIn, id: &str) -> Task {
    let request = ReopenTaskRequest { user_id: caller.id(), id: id.into(), etag: String::new() };
    let answer = caller.tasks().reopen_task(request).await.expect("reopened");
    answer.into_inner().task.expect("a task")
}

async fn toggle(caller: &SignedIn, id: &str) -> Task {
    let request = ToggleTaskRequest { user_id: caller.id(), id: id.into(), etag: String::new() };
    let answer = caller.tasks().toggle_task(request).await.expect("toggled");
    answer.into_inner().task.expect("a task")
}

async fn completing_twice_keeps_the_first_time(world: &World) {
    let alice = world.alice().await;
    let open = alice.create("Water the plants").await;
    let done = complete(&alice, &open.id).await;
    assert!(done.completed && done.completed_at == done.updated_at && done.completed_at.is_some());
    assert_ne!(done.etag, open.etag);
    let only_that = Task {
        completed: true,
        completed_at: done.completed_at,
        updated_at: done.updated_at,
        etag: done.etag.clone(),
        ..open
    };
    assert_eq!(done, only_that);
    assert_eq!(complete(&alice, &done.id).await, done);
    assert_eq!(alice.get(&done.id).await.expect("the task"), done);
}

async fn reopening_clears_the_time_and_reopening_again_changes_nothing(world: &World) {
    let alice = world.alice().await;
    let open = alice.create("Water the plants").await;
    assert_eq!(reopen(&alice, &open.id).await, open);
    complete(&alice, &open.id).await;
    let reopened = reopen(&alice, &open.id).await;
    assert!(!reopened.completed && reopened.completed_at.is_none());
    assert_eq!(reopen(&alice, &open.id).await, reopened);
    let listed = alice.page(0, "", Some(false)).await.expect("a page");
    assert_eq!(listed.tasks, [reopened]);
}

async fn toggling_goes_back_and_forth(world: &World) {
    let alice = world.alice().await;
    let open = alice.create("Water the plants").await;
    for expected in [true, false, true] {
        let task = toggle(&alice, &open.id).await;
        assert_eq!((task.completed, task.completed_at.is_some()), (expected, expected));
        let listed = alice.page(0, "", Some(expected)).await.expect("a page");
        assert_eq!(listed.tasks, [task]);
        assert!(alice.page(0, "", Some(!expected)).await.expect("a page").tasks.is_empty());
    }
}
