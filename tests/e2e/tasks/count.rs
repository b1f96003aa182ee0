//! Counts of tasks by state, priority and tag.

use proto::task::v1::{CountTasksRequest, CountTasksResponse, Priority, PriorityCount, TagCount};
use tonic::Status;

use crate::{answer::Refused, caller::SignedIn, scenarios::in_both_worlds, world::World};

in_both_worlds!(
    counts_are_of_what_passes_the_filter,
    a_tag_is_counted_once_however_it_is_spelled,
    counts_follow_every_change,
    every_fault_of_a_count_is_named_at_once,
);

async fn count(
    caller: &SignedIn,
    say: impl FnOnce(&mut CountTasksRequest),
) -> Result<CountTasksResponse, Status> {
    let mut request = CountTasksRequest { user_id: caller.id(), ..CountTasksRequest::default() };
    say(&mut request);
    Ok(caller.tasks().count_tasks(request).await?.into_inner())
}

async fn numbers(caller: &SignedIn, say: impl FnOnce(&mut CountTasksRequest)) -> [i64; 4] {
    let counts = count(caller, say).await.expect("counts");
    [counts.total, counts.open, counts.completed, counts.overdue]
}

async fn make(caller: &SignedIn, tags: &[&str], date: Option<&str>, priority: Priority) -> String {
    let made = caller.make("Water the plants", |new| {
        new.tags = tags.iter().map(ToString::to_string).collect();
        new.due_date = date.map(str::to_owned);
        new.set_priority(priority);
    });
    made.await.expect("a task").id
}

fn tag(tag: &str, count: i64) -> TagCount {
    TagCount { tag: tag.into(), count }
}

fn of(priority: Priority, count: i64) -> PriorityCount {
    PriorityCount { priority: priority.into(), count }
}

async fn counts_are_of_what_passes_the_filter(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    assert_eq!(count(&alice, |_| ()).await.expect("counts"), CountTasksResponse::default());
    make(&bob, &["his"], Some("2001-01-01"), Priority::Low).await;
    make(&alice, &["home", "garden"], Some("2001-01-01"), Priority::High).await;
    make(&alice, &["home"], None, Priority::Low).await;
    let done = make(&alice, &["work"], Some("2001-01-01"), Priority::Low).await;
    alice.complete(&done).await.expect("completed");
    let gone = make(&alice, &["work"], None, Priority::Low).await;
    alice.delete(&gone).await.expect("deleted");

    let all = count(&alice, |_| ()).await.expect("counts");
    let expected = CountTasksResponse {
        total: 3,
        open: 2,
        completed: 1,
        overdue: 1,
        priorities: vec![of(Priority::Low, 2), of(Priority::High, 1)],
        tags: vec![tag("home", 2), tag("garden", 1), tag("work", 1)],
        partial: None,
    };
    assert_eq!(all, expected);
    assert_eq!(numbers(&alice, |it| it.completed = Some(false)).await, [2, 2, 0, 1]);
    assert_eq!(numbers(&alice, |it| it.tags_any = vec!["GARDEN".into()]).await, [1, 1, 0, 1]);
    assert_eq!(numbers(&alice, |it| it.text = "plants".into()).await, [3, 2, 1, 1]);
    assert_eq!(numbers(&alice, |it| it.priorities = vec![1]).await, [2, 1, 1, 0]);
    assert_eq!(numbers(&alice, |it| it.has_due = Some(false)).await, [1, 1, 0, 0]);
    assert_eq!(numbers(&alice, |it| it.text = "none".into()).await, [0; 4]);
}

async fn a_tag_is_counted_once_however_it_is_spelled(world: &World) {
    let alice = world.alice().await;
    for spelling in ["café", "Cafe\u{301}", "CAFÉ"] {
        make(&alice, &[spelling], None, Priority::Low).await;
    }
    let tags = count(&alice, |_| ()).await.expect("counts").tags;
    assert_eq!(tags, [tag("CAFÉ", 3)], "as it was written last");
}

async fn counts_follow_every_change(world: &World) {
    let alice = world.alice().await;
    let id = make(&alice, &["home"], Some("2001-01-01"), Priority::Low).await;
    assert_eq!(numbers(&alice, |_| ()).await, [1, 1, 0, 1]);
    alice.complete(&id).await.expect("completed");
    assert_eq!(numbers(&alice, |_| ()).await, [1, 0, 1, 0]);
    alice.reopen(&id).await.expect("reopened");
    alice.change(&id, &["due_date", "tags"], |_| ()).await.expect("updated");
    let counts = count(&alice, |_| ()).await.expect("counts");
    assert_eq!((counts.overdue, counts.tags.len()), (0, 0));
    alice.delete(&id).await.expect("deleted");
    assert_eq!(numbers(&alice, |_| ()).await, [0; 4]);
    alice.undelete(&id).await.expect("it is back");
    assert_eq!(numbers(&alice, |_| ()).await, [1, 1, 0, 0]);
}

async fn every_fault_of_a_count_is_named_at_once(world: &World) {
    let alice = world.alice().await;
    let faulty = count(&alice, |it| {
        it.tags_any = vec![String::new()];
        it.due_from = Some("2026-11-31".into());
        it.text = "x".repeat(201);
        it.time_zone = "Mars/Olympus".into();
    });
    assert_eq!(faulty.await.faulty(), ["tags_any", "due_from", "text", "time_zone"]);
}
