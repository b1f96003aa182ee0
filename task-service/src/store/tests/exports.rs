//! Exports: everything of one user, once.

use std::collections::BTreeSet;

use fixtures::{FreshDatabase, on_both_databases};

use super::world::{World, every_user, owner, titled};
use crate::domain::task::{Content, Reminder, Reminders};

on_both_databases!(
    an_export_of_everything_has_the_trash_and_what_has_fired,
    a_long_export_is_complete_page_by_page,
);

async fn an_export_of_everything_has_the_trash_and_what_has_fired(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let kept = world.made(&alice, "kept").await;
    world.later(1); // ids begin with the time
    let gone = world.made(&alice, "gone").await;
    world.tasks.delete(&alice, gone.id, None).await.expect("deleted");
    world.made(&bob, "his").await;
    world.later(1);
    let moments = [5, 500].map(|seconds| Reminder::At(world.tasks.now().plus_seconds(seconds)));
    let due = world.tasks.now().plus_seconds(5);
    for owner in [&alice, &bob] {
        let reminders = Reminders::new(moments.to_vec()).expect("two");
        let new = Content { reminders, ..titled("remind me") };
        world.tasks.create(owner, new).await.expect("created");
    }
    world.later(6);
    world.tasks.fire_due(every_user()).await.expect("fired");

    let (tasks, cursor) = world.tasks.export_anywhere(&alice, None).await.expect("tasks");
    assert_eq!(cursor, None);
    let ids: Vec<_> =
        tasks.iter().map(|task| (task.content.title.as_str(), task.deleted_at.is_some())).collect();
    assert_eq!(ids, [("kept", false), ("gone", true), ("remind me", false)]);
    assert_eq!(tasks[0], kept);
    let (fired, cursor) =
        world.tasks.export_reminder_events(&alice, None).await.expect("reminders");
    assert_eq!(cursor, None);
    assert_eq!(fired.len(), 1);
    assert_eq!((fired[0].task_id, fired[0].due_at), (tasks[2].id, due));
}

async fn a_long_export_is_complete_page_by_page(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let moment = Reminder::At(world.tasks.now().plus_seconds(5));
    let new = (0..250).map(|n| {
        let reminders = Reminders::new(vec![moment]).expect("one");
        Content { reminders, ..titled(&format!("{n}")) }
    });
    let made = world.tasks.create_all(&alice, new.collect(), None).await.expect("created");
    world.later(6);
    world.tasks.fire_due(every_user()).await.expect("fired");

    let (mut ids, mut cursor, mut pieces) = (BTreeSet::new(), None, 0);
    loop {
        let (tasks, next) = world.tasks.export_anywhere(&alice, cursor).await.expect("a piece");
        pieces += 1;
        for task in tasks {
            assert!(ids.insert(task.id), "exported twice");
        }
        match next {
            Some(_) => cursor = next,
            None => break,
        }
    }
    assert_eq!((ids.len(), pieces), (made.len(), 3));
    let (mut ids, mut cursor, mut pieces) = (BTreeSet::new(), None, 0);
    loop {
        let (fired, next) =
            world.tasks.export_reminder_events(&alice, cursor).await.expect("a piece");
        pieces += 1;
        for fired in fired {
            assert!(ids.insert(fired.task_id), "exported twice");
        }
        match next {
            Some(_) => cursor = next,
            None => break,
        }
    }
    assert_eq!((ids.len(), pieces), (made.len(), 3));
}
