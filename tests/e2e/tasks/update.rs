//! Changing a task: which fields, and based on which version.

use futures_util::future::join_all;
use prost_types::FieldMask;
use proto::task::v1::{
    DeleteTaskRequest, Priority, Recurrence, Reminder, RepeatFrom, Task, UpdateTaskRequest,
};
use tonic::{Code, Status};

use crate::{
    answer::Refused,
    caller::{SignedIn, at},
    scenarios::in_both_worlds,
    wire::Difference,
    world::World,
};

in_both_worlds!(
    without_a_mask_the_fields_that_are_set_are_written,
    with_a_mask_exactly_the_named_fields_are_written,
    a_star_writes_all_ten_fields,
    every_fault_is_named_at_once_and_nothing_is_written,
    an_update_that_changes_nothing_leaves_the_version,
    a_change_of_another_version_is_refused,
    of_many_changes_of_one_version_at_once_one_wins,
);

/// A request to change nothing yet.
fn change(task: &Task) -> UpdateTaskRequest {
    UpdateTaskRequest { user_id: task.user_id.clone(), id: task.id.clone(), ..Default::default() }
}

fn mask(paths: &[&str]) -> FieldMask {
    FieldMask { paths: paths.iter().map(ToString::to_string).collect() }
}

async fn update(caller: &SignedIn, request: UpdateTaskRequest) -> Result<Task, Status> {
    let answer = caller.tasks().update_task(request).await?;
    Ok(answer.into_inner().task.expect("a task"))
}

/// A task whose every field has a value of its own.
async fn full(caller: &SignedIn) -> Task {
    let task = caller.create("Water the plants").await;
    let request = UpdateTaskRequest {
        description: Some("twice".into()),
        completed: Some(true),
        priority: Some(Priority::High.into()),
        tags: vec!["Home".into(), "Café".into()],
        due_at: Some(at("2031-11-25T09:00:00.000001Z")),
        due_zone: Some("Europe/Berlin".into()),
        reminders: vec![
            Reminder { minutes_before: Some(10), ..Reminder::default() },
            Reminder { at: Some(at("2031-11-24T18:00:00Z")), ..Reminder::default() },
        ],
        recurrence: Some(Recurrence {
            rule: "FREQ=WEEKLY;BYDAY=TU".into(),
            from: RepeatFrom::Completion.into(),
            time_zone: "Asia/Tokyo".into(),
            start: "2031-11-25T10:00:00.000001".into(),
        }),
        ..change(&task)
    };
    let made = update(caller, request.clone()).await.expect("updated");
    assert_eq!((made.tags.clone(), made.reminders.clone()), (request.tags, request.reminders));
    assert_eq!((made.due_at, made.due_zone.clone()), (request.due_at, request.due_zone));
    assert_eq!((&made.due_date, &made.recurrence), (&None, &request.recurrence));
    assert_eq!((made.series_id.as_ref(), made.occurrence), (Some(&made.id), Some(1)));
    made
}

async fn without_a_mask_the_fields_that_are_set_are_written(world: &World) {
    let alice = world.alice().await;
    let task = full(&alice).await;
    for empty in [None, Some(mask(&[]))] {
        let request = UpdateTaskRequest {
            title: Some(" Feed the cat ".into()),
            description: Some(String::new()),
            update_mask: empty,
            ..change(&task)
        };
        let updated = update(&alice, request).await.expect("updated");
        let expected = Task {
            title: "Feed the cat".into(),
            description: String::new(),
            updated_at: updated.updated_at,
            etag: updated.etag.clone(),
            ..task.clone()
        };
        assert_eq!(updated, expected);
        assert_eq!(alice.get(&task.id).await.expect("the task"), expected);
    }
    assert_eq!(update(&alice, change(&task)).await.faulty(), ["update_mask"]);
}

async fn with_a_mask_exactly_the_named_fields_are_written(world: &World) {
    let alice = world.alice().await;
    let task = full(&alice).await;
    let request = UpdateTaskRequest {
        title: Some("not named, not looked at: \0".into()),
        completed: Some(false),
        priority: Some(77),
        update_mask: Some(mask(&["completed", "description"])),
        ..change(&task)
    };
    let updated = update(&alice, request).await.expect("updated");
    assert_eq!((updated.completed, updated.completed_at), (false, None));
    assert_eq!(updated.description, "", "named and not set: its default");
    assert_eq!((updated.title.as_str(), updated.priority()), ("Water the plants", Priority::High));
}

async fn a_star_writes_all_ten_fields(world: &World) {
    let alice = world.alice().await;
    let task = full(&alice).await;
    let star = UpdateTaskRequest { update_mask: Some(mask(&["*"])), ..change(&task) };
    // A title has no default.
    assert_eq!(update(&alice, star.clone()).await.faulty(), ["title"]);
    let star = UpdateTaskRequest { title: Some("Feed the cat".into()), ..star };
    let updated = update(&alice, star.clone()).await.expect("updated");
    assert_eq!((updated.title.as_str(), updated.description.as_str()), ("Feed the cat", ""));
    assert_eq!((updated.completed, updated.priority()), (false, Priority::Medium));
    assert_eq!((updated.tags.len(), updated.reminders.len()), (0, 0));
    assert_eq!((&updated.due_date, updated.due_at, &updated.due_zone), (&None, None, &None));
    assert_eq!(updated.recurrence, None);
    // That it was one of a series stays true, as when and as what it was made.
    let kept = Task {
        updated_at: updated.updated_at,
        etag: updated.etag.clone(),
        title: "Feed the cat".into(),
        priority: Priority::Medium.into(),
        id: task.id.clone(),
        user_id: task.user_id.clone(),
        created_at: task.created_at,
        series_id: task.series_id.clone(),
        occurrence: task.occurrence,
        position: task.position.clone(),
        ..Task::default()
    };
    assert_eq!(updated, kept);
    // Said once more it changes nothing, and whole again it is whole.
    let again = UpdateTaskRequest { title: Some("Feed the cat".into()), ..star };
    assert_eq!(update(&alice, again).await.expect("the same"), updated);
    let whole = UpdateTaskRequest {
        title: Some(task.title.clone()),
        description: Some(task.description.clone()),
        completed: Some(false),
        priority: Some(task.priority),
        tags: task.tags.clone(),
        due_at: task.due_at,
        due_zone: task.due_zone.clone(),
        reminders: task.reminders.clone(),
        recurrence: task.recurrence.clone(),
        update_mask: Some(mask(&["*"])),
        ..change(&task)
    };
    let whole = update(&alice, whole).await.expect("updated");
    let old_series = task.series_id.clone();
    let expected = Task {
        updated_at: whole.updated_at,
        etag: whole.etag.clone(),
        completed: false,
        completed_at: None,
        // It was one of a series that went on; the rule begins another.
        series_id: whole.series_id.clone(),
        ..task
    };
    assert_ne!(whole.series_id, old_series);
    assert_eq!(whole, expected);
}

async fn every_fault_is_named_at_once_and_nothing_is_written(world: &World) {
    let alice = world.alice().await;
    let task = full(&alice).await;
    let request = UpdateTaskRequest {
        title: Some(String::new()),
        description: Some("\0".into()),
        priority: (!world.differs(Difference::PrioritiesHaveNames)).then_some(0),
        update_mask: Some(mask(&["*", "user_id"])),
        ..change(&task)
    };
    if world.differs(Difference::NoMaskBesideTheStar) {
        let replaced = UpdateTaskRequest { update_mask: Some(mask(&["*"])), ..request };
        assert_eq!(update(&alice, replaced).await.faulty(), ["title", "description"]);
    } else {
        let faulty = update(&alice, request).await.faulty();
        assert_eq!(faulty, ["update_mask", "title", "description", "priority"]);
    }
    for number in [0, 77, -1] {
        let request = UpdateTaskRequest { priority: Some(number), ..change(&task) };
        assert_eq!(update(&alice, request).await.faulty(), ["priority"], "{number}");
    }
    for path in ["id", "created_at", "Title", "title.x", "etag", ""] {
        let request = UpdateTaskRequest { update_mask: Some(mask(&[path])), ..change(&task) };
        assert_eq!(update(&alice, request).await.faulty(), ["update_mask"], "{path:?}");
    }
    assert_eq!(alice.get(&task.id).await.expect("the task"), task);
}

async fn an_update_that_changes_nothing_leaves_the_version(world: &World) {
    let alice = world.alice().await;
    let task = full(&alice).await;
    let request = UpdateTaskRequest {
        title: Some(task.title.clone()),
        completed: Some(true),
        ..change(&task)
    };
    assert_eq!(update(&alice, request).await.expect("the same"), task);
    assert_eq!(alice.get(&task.id).await.expect("the task"), task);
}

async fn a_change_of_another_version_is_refused(world: &World) {
    let alice = world.alice().await;
    let first = alice.create("Water the plants").await;
    let rename = |title: &str, etag: &str| UpdateTaskRequest {
        title: Some(title.into()),
        etag: etag.into(),
        ..change(&first)
    };
    let second = update(&alice, rename("Feed the cat", &first.etag)).await.expect("updated");
    assert_ne!(second.etag, first.etag);
    let mut others = vec![first.etag.as_str(), "nonsense", "*", "W/\"1\""];
    others.extend((!world.differs(Difference::HeadersHoldNoControlCharacters)).then_some("\0"));
    for stale in others {
        let answer = update(&alice, rename("Sleep", stale)).await;
        answer.refused(Code::Aborted, "STALE_ETAG");
        let request =
            DeleteTaskRequest { user_id: alice.id(), id: first.id.clone(), etag: stale.into() };
        alice.tasks().delete_task(request).await.refused(Code::Aborted, "STALE_ETAG");
    }
    assert_eq!(alice.get(&first.id).await.expect("the task"), second);
    let third = update(&alice, rename("Sleep", "")).await.expect("whatever the version");
    let request = DeleteTaskRequest { user_id: alice.id(), id: first.id, etag: third.etag };
    alice.tasks().delete_task(request).await.expect("deleted");
}

async fn of_many_changes_of_one_version_at_once_one_wins(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("Water the plants").await;
    let answers = join_all((0..20).map(|number| {
        let request = UpdateTaskRequest {
            title: Some(format!("number {number}")),
            etag: task.etag.clone(),
            ..change(&task)
        };
        let alice = alice.clone();
        async move { update(&alice, request).await }
    }))
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for answer in lost {
        answer.refused(Code::Aborted, "STALE_ETAG");
    }
    let winner = won.into_iter().next().expect("one").expect("a task");
    assert_eq!(alice.get(&task.id).await.expect("the task"), winner);
}
