//! Many tasks in one change: all of them or none, and once for each request id.

use fixtures::{FreshDatabase, on_both_databases};
use shared::error::Refusal;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::world::{World, owner, requested, titled};
use crate::{
    domain::{
        due::Due,
        recurrence::{RepeatFrom, Rule},
        request_id::RequestId,
        task::{Content, DueChange, Reminder, Reminders, Repeat, Task, TaskPatch, Title},
        timestamp::Timestamp,
        zone::Zone,
    },
    error::Error,
    query::sync::SyncRequest,
};

on_both_databases!(
    a_batch_of_new_tasks_is_one_change_in_the_order_given,
    five_hundred_are_made_changed_completed_and_deleted,
    a_batch_with_one_missing_task_changes_none,
    what_a_change_cannot_do_to_one_task_it_does_to_none,
    tasks_of_others_are_never_touched,
    a_repeated_creation_returns_the_same_tasks_as_they_are_now,
    a_repeated_change_is_not_made_again,
    calls_of_all_kinds_share_their_keys,
    repeats_at_the_same_time_happen_once,
    completed_tasks_that_repeat_are_followed_each_once,
    a_batch_that_changes_nothing_takes_no_number,
);

fn key(text: &str) -> RequestId {
    RequestId::parse(text.into()).expect("a key")
}

fn ids(tasks: &[Task]) -> Vec<Uuid> {
    tasks.iter().map(|task| task.id).collect()
}

fn renamed(title: &str) -> TaskPatch {
    TaskPatch { title: Some(Title::parse(title).expect("a title")), ..TaskPatch::default() }
}

async fn three(world: &World) -> Vec<Task> {
    let new = ["a", "b", "c"].map(titled).into();
    world.tasks.create_all(&owner("alice"), new, None).await.expect("created")
}

fn missing(answer: Result<Vec<Task>, Error>) -> Vec<String> {
    let Err(Error::Missing(faults)) = answer else { panic!("not refused") };
    faults.0.into_iter().map(|fault| fault.field.into_owned()).collect()
}

async fn a_batch_of_new_tasks_is_one_change_in_the_order_given(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = three(&world).await;
    assert!(made.iter().all(|task| task.revision == 1));
    assert!(made.is_sorted_by(|one, other| one.position < other.position));
    for task in &made {
        assert_eq!(world.tasks.get(&alice, task.id).await.expect("there"), *task);
    }
    assert_eq!(world.made(&alice, "d").await.revision, 2);
}

async fn five_hundred_are_made_changed_completed_and_deleted(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let reminders = Reminders::new(vec![Reminder::At(Timestamp::from_micros(i64::MAX / 2))]);
    let reminders = reminders.expect("one");
    let new = |n: usize| Content { reminders: reminders.clone(), ..titled(&n.to_string()) };
    let made = world.tasks.create_all(&alice, (0..500).map(new).collect(), None).await;
    let ids = ids(&made.expect("created"));
    let changed = world.tasks.update_all(&alice, &ids, &renamed("x"), None).await;
    assert!(changed.expect("changed").iter().all(|task| task.revision == 2));
    let done = world.tasks.complete_all(&alice, &ids, None).await.expect("completed");
    assert_eq!(self::ids(&done), ids);
    assert!(done.iter().all(|task| task.completed() && task.content.title.as_str() == "x"));
    world.tasks.delete_all(&alice, &ids, None).await.expect("deleted");
    assert_eq!(world.titles(&alice).await, [""; 0]);
}

async fn a_batch_with_one_missing_task_changes_none(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, made) = (owner("alice"), three(&world).await);
    let mut all = ids(&made);
    all.extend([Uuid::nil(), Uuid::from_u128(7)]);
    let last_two = ["ids[3]", "ids[4]"];
    assert_eq!(missing(world.tasks.update_all(&alice, &all, &renamed("x"), None).await), last_two);
    assert_eq!(missing(world.tasks.complete_all(&alice, &all, Some(key("k"))).await), last_two);
    let deleted = world.tasks.delete_all(&alice, &all, None).await;
    assert_eq!(missing(deleted.map(|()| Vec::new())), last_two);
    for task in &made {
        assert_eq!(world.tasks.get(&alice, task.id).await.expect("there"), *task);
    }
    let done = world.tasks.complete_all(&alice, &ids(&made), Some(key("k"))).await;
    assert_eq!(done.expect("the key was not used").len(), 3);
}

async fn what_a_change_cannot_do_to_one_task_it_does_to_none(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let date = Due::parse_date("2026-11-25").map(Due::Date).expect("a date");
    let daily = Repeat {
        rule: Rule::parse("FREQ=DAILY").expect("a rule"),
        from: RepeatFrom::Due,
        zone: Zone::UTC,
    };
    let repeating = Content { due: Some(date.clone()), recurrence: Some(daily), ..titled("r") };
    let dated = Content { due: Some(date), ..titled("d") };
    let made = world.tasks.create_all(&alice, vec![dated, repeating], None).await.expect("made");
    let patch = TaskPatch { due: Some(DueChange::None), ..TaskPatch::default() };
    let refused = world.tasks.update_all(&alice, &ids(&made), &patch, None).await;
    let Err(Error::Invalid(faults)) = refused else { panic!("not refused") };
    assert_eq!(faults.0.len(), 1);
    assert_eq!(faults.0[0].field, "ids[1].recurrence");
    assert_eq!(world.tasks.get(&alice, made[0].id).await.expect("there"), made[0]);
}

async fn tasks_of_others_are_never_touched(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (mallory, hers) = (owner("mallory"), three(&world).await);
    let his = world.made(&mallory, "his").await;
    let mut all = ids(&hers);
    all.push(his.id);
    let hers_are_missing = ["ids[0]", "ids[1]", "ids[2]"];
    let tasks = &world.tasks;
    let answer = tasks.update_all(&mallory, &all, &renamed("x"), None).await;
    assert_eq!(missing(answer), hers_are_missing);
    assert_eq!(missing(tasks.complete_all(&mallory, &all, None).await), hers_are_missing);
    let deleted = tasks.delete_all(&mallory, &all, None).await;
    assert_eq!(missing(deleted.map(|()| Vec::new())), hers_are_missing);
    for task in &hers {
        assert_eq!(tasks.get(&owner("alice"), task.id).await.expect("there"), *task);
    }
    assert_eq!(tasks.get(&mallory, his.id).await.expect("there"), his);
}

async fn a_repeated_creation_returns_the_same_tasks_as_they_are_now(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let create = async |titles: &[&str]| {
        let new = titles.iter().map(|title| titled(title)).collect();
        world.tasks.create_all(&alice, new, Some(key("k"))).await
    };
    let made = create(&["a", "b"]).await.expect("created");
    let done = world.tasks.complete(&alice, made[1].id).await.expect("completed");
    assert_eq!(create(&["a", "b"]).await.expect("repeated"), [made[0].clone(), done]);
    for other in [&["b", "a"][..], &["a"], &["a", "b", "c"]] {
        assert!(
            matches!(create(other).await, Err(Error::Refused(Refusal::RequestIdReused))),
            "{other:?}"
        );
    }
    world.tasks.delete(&alice, made[0].id, None).await.expect("deleted");
    assert!(matches!(create(&["a", "b"]).await, Err(Error::Refused(Refusal::RequestIdReused))));
    assert_eq!(world.titles(&alice).await, ["b"]);
    world.later(24 * 60 * 60);
    assert_eq!(create(&["b", "a"]).await.expect("free again").len(), 2);
}

async fn a_repeated_change_is_not_made_again(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, made) = (owner("alice"), three(&world).await);
    let (tasks, ids) = (&world.tasks, ids(&made));
    tasks.complete_all(&alice, &ids, Some(key("c"))).await.expect("completed");
    tasks.reopen(&alice, ids[0]).await.expect("reopened");
    let again = tasks.complete_all(&alice, &ids, Some(key("c"))).await.expect("repeated");
    assert_eq!(again.iter().map(Task::completed).collect::<Vec<_>>(), [false, true, true]);

    // Even where the first time changed nothing.
    tasks.update_all(&alice, &ids[..1], &renamed("a"), Some(key("u"))).await.expect("as it was");
    tasks.update(&alice, ids[0], renamed("z"), None).await.expect("changed");
    let again = tasks.update_all(&alice, &ids[..1], &renamed("a"), Some(key("u"))).await;
    assert_eq!(again.expect("repeated")[0].content.title.as_str(), "z");
    let other = tasks.update_all(&alice, &ids[..1], &renamed("b"), Some(key("u"))).await;
    assert!(matches!(other, Err(Error::Refused(Refusal::RequestIdReused))));

    tasks.delete_all(&alice, &ids, Some(key("d"))).await.expect("deleted");
    tasks.undelete(&alice, ids[0], None).await.expect("back");
    tasks.delete_all(&alice, &ids, Some(key("d"))).await.expect("repeated");
    assert!(tasks.get(&alice, ids[0]).await.is_ok());
}

async fn calls_of_all_kinds_share_their_keys(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, made) = (owner("alice"), three(&world).await);
    let (tasks, ids) = (&world.tasks, ids(&made));
    tasks.complete_all(&alice, &ids, Some(key("batch"))).await.expect("completed");
    tasks.create(&alice, requested("one", "single")).await.expect("created");
    let reused =
        |answer: Result<(), Error>| matches!(answer, Err(Error::Refused(Refusal::RequestIdReused)));
    let single = tasks.create(&alice, requested("one", "batch")).await;
    assert!(reused(single.map(drop)));
    for used in ["batch", "single"] {
        let create = tasks.create_all(&alice, vec![titled("one")], Some(key(used))).await;
        assert!(reused(create.map(drop)), "{used}");
        let update =
            tasks.update_all(&alice, &ids, &TaskPatch::completed(true), Some(key(used))).await;
        assert!(reused(update.map(drop)), "{used}");
        assert!(reused(tasks.delete_all(&alice, &ids, Some(key(used))).await), "{used}");
    }
    let bob = owner("bob");
    assert!(tasks.create_all(&bob, vec![titled("his")], Some(key("batch"))).await.is_ok());
}

async fn repeats_at_the_same_time_happen_once(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let (tasks, alice) = (world.tasks.clone(), alice.clone());
        let new = vec![titled("a"), titled("b")];
        calls.spawn(async move { tasks.create_all(&alice, new, Some(key("k"))).await });
    }
    let mut answers: Vec<_> =
        calls.join_all().await.into_iter().map(|made| made.expect("created")).collect();
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(world.titles(&alice).await.len(), 2);
}

async fn completed_tasks_that_repeat_are_followed_each_once(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let daily = Repeat {
        rule: Rule::parse("FREQ=DAILY").expect("a rule"),
        from: RepeatFrom::Due,
        zone: Zone::UTC,
    };
    let due = Due::parse_date("2026-11-25").map(Due::Date).ok();
    let new =
        |title| Content { due: due.clone(), recurrence: Some(daily.clone()), ..titled(title) };
    let made = world.tasks.create_all(&alice, vec![new("a"), new("b"), titled("c")], None).await;
    let ids = ids(&made.expect("created"));
    world.tasks.complete_all(&alice, &ids, None).await.expect("completed");
    world.tasks.complete_all(&alice, &ids, None).await.expect("completed again");
    let request = SyncRequest { size: 200, after: None };
    let all = world.tasks.sync(&alice, &request).await.expect("all").tasks;
    let mut places: Vec<_> = all.iter().map(|task| task.position.to_string()).collect();
    places.sort();
    places.dedup();
    assert_eq!((all.len(), places.len()), (5, 5));
    let next: Vec<_> = all.iter().filter(|task| !task.completed()).collect();
    assert!(next.iter().all(|task| task.series.is_some_and(|series| series.occurrence == 2)));
}

async fn a_batch_that_changes_nothing_takes_no_number(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, made) = (owner("alice"), three(&world).await);
    let same =
        world.tasks.update_all(&alice, &ids(&made), &TaskPatch::completed(false), None).await;
    assert_eq!(same.expect("as they were"), made);
    assert_eq!(world.made(&alice, "d").await.revision, 2);
}
