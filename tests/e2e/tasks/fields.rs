//! The fields of a new task, and their stored form.

use proto::task::v1::{CreateTaskRequest, CreateTaskResponse, DeleteTaskRequest, Priority, Task};
use tonic::{Code, Response, Status};

use crate::{
    answer::Refused, caller::SignedIn, scenarios::in_both_worlds, wire::Difference, world::World,
};

in_both_worlds!(
    a_new_task_comes_back_as_it_was_sent,
    a_title_is_trimmed_and_counted_in_characters,
    a_description_is_kept_as_given_and_counted_in_characters,
    a_priority_is_one_of_four_and_medium_by_default,
    every_faulty_field_is_named_at_once_and_nothing_is_stored,
    text_is_data_whatever_it_looks_like,
    a_deleted_task_is_gone,
);

async fn create(
    caller: &SignedIn,
    change: impl FnOnce(&mut CreateTaskRequest),
) -> Result<Task, Status> {
    let mut request = caller.new_task("Water the plants");
    change(&mut request);
    let answer: Response<CreateTaskResponse> = caller.tasks().create_task(request).await?;
    Ok(answer.into_inner().task.expect("a task"))
}

async fn a_new_task_comes_back_as_it_was_sent(world: &World) {
    let alice = world.alice().await;
    let task = create(&alice, |new| {
        new.description = "twice a week".into();
        new.set_priority(Priority::High);
    });
    let task = task.await.expect("a task");
    assert_eq!(
        (task.title.as_str(), task.description.as_str()),
        ("Water the plants", "twice a week")
    );
    assert_eq!((task.user_id.clone(), task.priority()), (alice.id(), Priority::High));
    assert!(!task.completed && task.completed_at.is_none() && !task.etag.is_empty());
    assert_eq!(task.created_at, task.updated_at);
    let (groups, version): (Vec<usize>, _) =
        (task.id.split('-').map(str::len).collect(), &task.id[14..15]);
    assert_eq!((groups.as_slice(), version), (&[8, 4, 4, 4, 12][..], "7"));
    assert_eq!(alice.get(&task.id).await.expect("the task"), task);
    assert_eq!(alice.all_tasks().await, [task]);
}

async fn a_title_is_trimmed_and_counted_in_characters(world: &World) {
    let alice = world.alice().await;
    let longest = "🦀".repeat(200);
    for (given, kept) in [
        (" \t Water \n", "Water"),
        ("x", "x"),
        (&longest, &longest),
        (&format!(" {longest} "), &longest),
    ] {
        let task = create(&alice, |new| new.title = given.into()).await.expect("a task");
        assert_eq!(task.title, kept);
        assert_eq!(alice.get(&task.id).await.expect("the task").title, kept);
    }
    for refused in ["", "   ", &"🦀".repeat(201), &"x".repeat(201), "a\nb", "a\0b", "a\u{1b}[31m"]
    {
        let answer = create(&alice, |new| new.title = refused.into()).await;
        assert_eq!(answer.faulty(), ["title"], "{refused:?}");
    }
}

async fn a_description_is_kept_as_given_and_counted_in_characters(world: &World) {
    let alice = world.alice().await;
    for given in [" two\r\nlines\t ", &"🦀".repeat(10_000), &"x".repeat(10_000)] {
        let task = create(&alice, |new| new.description = given.into()).await.expect("a task");
        assert_eq!(alice.get(&task.id).await.expect("the task").description, given);
    }
    for refused in ["a\0b", &"🦀".repeat(10_001), &"x".repeat(10_001)] {
        let answer = create(&alice, |new| new.description = refused.into()).await;
        assert_eq!(answer.faulty(), ["description"], "{}", refused.len());
    }
}

async fn a_priority_is_one_of_four_and_medium_by_default(world: &World) {
    let alice = world.alice().await;
    for (given, kept) in [
        (Priority::Unspecified, Priority::Medium),
        (Priority::Low, Priority::Low),
        (Priority::Medium, Priority::Medium),
        (Priority::High, Priority::High),
        (Priority::Urgent, Priority::Urgent),
    ] {
        let task = create(&alice, |new| new.set_priority(given)).await.expect("a task");
        assert_eq!(task.priority(), kept);
    }
    for number in [5, 99, -1, i32::MAX, i32::MIN] {
        let answer = create(&alice, |new| new.priority = number).await;
        assert_eq!(answer.faulty(), ["priority"], "{number}");
    }
}

async fn every_faulty_field_is_named_at_once_and_nothing_is_stored(world: &World) {
    let alice = world.alice().await;
    let typed = world.differs(Difference::PrioritiesHaveNames);
    let answer = create(&alice, |new| {
        new.title = " ".into();
        new.description = "\0".into();
        new.priority = if typed { 0 } else { 9 };
        new.request_id = "two words".into();
    });
    let mut faulty = vec!["title", "description", "priority", "request_id"];
    faulty.retain(|field| !typed || *field != "priority");
    assert_eq!(answer.await.faulty(), faulty);
    assert!(alice.all_tasks().await.is_empty());
}

async fn text_is_data_whatever_it_looks_like(world: &World) {
    let alice = world.alice().await;
    for text in
        ["'); DROP TABLE task; --", "%n %s {{7*7}} $1 ?", "<script>\\", "\u{202e}evil", "ﬁ é é"]
    {
        let task = create(&alice, |new| (new.title, new.description) = (text.into(), text.into()));
        let task = task.await.expect("a task");
        let kept = alice.get(&task.id).await.expect("the task");
        assert_eq!((kept.title.as_str(), kept.description.as_str()), (text, text));
    }
}

async fn a_deleted_task_is_gone(world: &World) {
    let alice = world.alice().await;
    let (kept, gone) = (alice.create("kept").await, alice.create("gone").await);
    let request =
        DeleteTaskRequest { user_id: alice.id(), id: gone.id.clone(), etag: String::new() };
    alice.tasks().delete_task(request.clone()).await.expect("deleted");
    let again = alice.tasks().delete_task(request).await;
    again.refused(Code::NotFound, "TASK_NOT_FOUND");
    alice.get(&gone.id).await.refused(Code::NotFound, "TASK_NOT_FOUND");
    assert_eq!(alice.all_tasks().await, [kept]);
}
