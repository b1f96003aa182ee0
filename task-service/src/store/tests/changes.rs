//! Changes of a task: the changed fields and the unchanged ones.

use chrono::TimeDelta;
use fixtures::{FreshDatabase, on_both_databases};
use shared::error::Refusal;
use tokio::task::JoinSet;

use super::world::{World, not_found, owner, titled};
use crate::{
    domain::{
        etag::Etag,
        task::{Content, Description, Priority, TaskPatch, Title},
    },
    error::Error,
};

on_both_databases!(
    what_is_stored_comes_back_to_the_microsecond_and_the_byte,
    every_field_is_written_and_read_again,
    completing_is_idempotent_and_toggling_is_not,
    an_update_that_changes_nothing_leaves_etag_and_number,
    a_stale_etag_changes_nothing,
    a_clock_set_back_never_takes_updated_at_along,
    changes_at_the_same_time_are_all_kept_and_numbered,
    of_many_updates_based_on_one_version_one_wins,
);

async fn what_is_stored_comes_back_to_the_microsecond_and_the_byte(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    world.clock.advance(TimeDelta::nanoseconds(123_456_789));
    for (title, description) in [
        ("plain", String::new()),
        ("ünïcödé — задача — 任務", "  two\r\nlines\t\u{200b} ".to_owned()),
        ("🦀🏳️‍🌈", "🦀".repeat(10_000)),
        ("'; DROP TABLE task; --", "\\ \" $1 ? %s \u{1}".to_owned()),
    ] {
        let new = Content {
            description: Description::parse(description).expect("a description"),
            priority: Priority::Urgent,
            ..titled(title)
        };
        let made = world.tasks.create(&alice, new.clone()).await.expect("created");
        let read = world.tasks.get(&alice, made.id).await.expect("there");
        assert_eq!(read, made);
        assert_eq!((read.content.title.as_str(), read.user_id.as_str()), (title, "alice"));
        assert_eq!(read.content.description, new.description);
        assert_eq!(read.created_at.micros(), 1_700_000_000_123_456);
        assert_eq!((read.completed_at, read.id.get_version_num()), (None, 7));
    }
}

async fn every_field_is_written_and_read_again(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.made(&alice, "before").await;
    world.later(5);
    let patch = TaskPatch {
        title: Title::parse("after").ok(),
        description: Description::parse("words".into()).ok(),
        completed: Some(true),
        priority: Some(Priority::Low),
        ..TaskPatch::default()
    };
    let changed = world.tasks.update(&alice, made.id, patch, None).await.expect("updated");
    assert_eq!(world.tasks.get(&alice, made.id).await.expect("there"), changed);
    assert_eq!(
        (changed.content.title.as_str(), changed.content.description.as_str()),
        ("after", "words")
    );
    assert_eq!(changed.content.priority, Priority::Low);
    assert_eq!(changed.created_at, made.created_at);
    assert_eq!(changed.updated_at.micros(), made.updated_at.micros() + 5_000_000);
    assert_eq!(changed.completed_at, Some(changed.updated_at));
    assert!(changed.revision > made.revision);
}

async fn completing_is_idempotent_and_toggling_is_not(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let id = world.made(&alice, "a").await.id;
    let first = world.tasks.complete(&alice, id).await.expect("completed");
    world.later(5);
    assert_eq!(world.tasks.complete(&alice, id).await.expect("completed"), first);
    let reopened = world.tasks.reopen(&alice, id).await.expect("reopened");
    assert_eq!(reopened.completed_at, None);
    world.later(5);
    assert_eq!(world.tasks.reopen(&alice, id).await.expect("reopened"), reopened);
    let on = world.tasks.toggle(&alice, id, None).await.expect("toggled");
    assert_eq!(on.completed_at, Some(on.updated_at));
    let off = world.tasks.toggle(&alice, id, None).await.expect("toggled");
    assert_eq!(off.completed_at, None);
    assert_eq!(world.tasks.get(&alice, id).await.expect("there"), off);
}

async fn an_update_that_changes_nothing_leaves_etag_and_number(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.made(&alice, "a").await;
    world.later(5);
    let same = TaskPatch { title: Title::parse(" a ").ok(), ..TaskPatch::completed(false) };
    let answer = world.tasks.update(&alice, made.id, same, None).await.expect("updated");
    assert_eq!(answer, made);
    assert!(not_found(&world.tasks.complete(&alice, uuid::Uuid::nil()).await));
    assert!(not_found(&world.tasks.delete(&alice, uuid::Uuid::nil(), None).await));
    assert_eq!(world.made(&alice, "b").await.revision, made.revision + 1);
}

async fn a_stale_etag_changes_nothing(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.made(&alice, "a").await;
    let old = Etag::of(made.revision);
    let now = world.tasks.complete(&alice, made.id).await.expect("completed");
    for etag in [old, Etag::given("nonsense".into()).expect("an etag")] {
        let patch = TaskPatch::completed(false);
        let update = world.tasks.update(&alice, made.id, patch, Some(&etag)).await;
        assert!(matches!(update, Err(Error::Refused(Refusal::StaleEtag))));
        let same = TaskPatch::completed(true);
        let update = world.tasks.update(&alice, made.id, same, Some(&etag)).await;
        assert!(matches!(update, Err(Error::Refused(Refusal::StaleEtag))));
        let delete = world.tasks.delete(&alice, made.id, Some(&etag)).await;
        assert!(matches!(delete, Err(Error::Refused(Refusal::StaleEtag))));
    }
    assert_eq!(world.tasks.get(&alice, made.id).await.expect("there"), now);
    let etag = Etag::of(now.revision);
    let patch = TaskPatch::completed(false);
    let next = world.tasks.update(&alice, made.id, patch, Some(&etag)).await.expect("updated");
    let etag = Etag::of(next.revision);
    world.tasks.delete(&alice, made.id, Some(&etag)).await.expect("deleted");
    assert!(not_found(&world.tasks.get(&alice, made.id).await));
    assert!(not_found(&world.tasks.delete(&alice, made.id, Some(&etag)).await));
}

async fn a_clock_set_back_never_takes_updated_at_along(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.made(&alice, "a").await;
    world.later(-3600);
    let completed = world.tasks.complete(&alice, made.id).await.expect("completed");
    assert_eq!(completed.updated_at, made.updated_at);
    assert_ne!(completed.revision, made.revision);
}

async fn changes_at_the_same_time_are_all_kept_and_numbered(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let id = world.made(&alice, "a").await.id;
    let mut calls = JoinSet::new();
    for n in 0..40 {
        let (tasks, alice) = (world.tasks.clone(), alice.clone());
        calls.spawn(async move {
            let changed = match n % 2 {
                0 => tasks.toggle(&alice, id, None).await,
                _ => tasks.create(&alice, titled("b")).await,
            };
            changed.expect("changed").revision
        });
    }
    let mut numbers = calls.join_all().await;
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=41).collect::<Vec<_>>());
    // An even number of toggles: had one been lost, the task would be done.
    assert_eq!(world.tasks.get(&alice, id).await.expect("there").completed_at, None);
}

async fn of_many_updates_based_on_one_version_one_wins(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.made(&alice, "a").await;
    let mut updates = JoinSet::new();
    for n in 0..16 {
        let (tasks, alice, id) = (world.tasks.clone(), alice.clone(), made.id);
        let etag = Etag::of(made.revision);
        updates.spawn(async move {
            let title = Title::parse(&format!("update {n}")).ok();
            let patch = TaskPatch { title, ..TaskPatch::default() };
            tasks.update(&alice, id, patch, Some(&etag)).await
        });
    }
    let answers = updates.join_all().await;
    let won: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Ok(_) | Err(Error::Refused(Refusal::StaleEtag))))
    );
    assert_eq!(world.tasks.get(&alice, made.id).await.expect("there"), *won[0]);
}
