//! Reminders fire in time, each once, over all replicas.

use std::collections::BTreeSet;

use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, DbBackend};
use server::db::Database;
use shared::auth::Owner;

use super::world::{World, every_user, owner, titled};
use crate::{
    domain::task::{Content, Reminder, ReminderEvent, Reminders, Task, TaskPatch, Title},
    store::Tasks,
};

on_both_databases!(
    a_reminder_fires_once_in_its_time_and_leaves_its_task_alone,
    stores_that_fire_at_the_same_time_fire_each_once_and_count_without_a_gap,
    overdue_reminders_fire_late_and_none_is_lost,
    what_is_done_deleted_or_changed_does_not_fire,
    what_is_due_and_has_not_fired_outlives_a_change_of_something_else,
    what_has_fired_does_not_fire_again,
    a_reminder_event_is_retained_for_seven_days,
    many_of_one_user_fire_in_order,
    a_user_whose_reminders_cannot_fire_does_not_delay_others,
);

/// `seconds` after the beginning.
fn at(world: &World, seconds: i64) -> Reminder {
    Reminder::At(world.tasks.now().plus_seconds(seconds))
}

fn reminders(of: Vec<Reminder>) -> Reminders {
    Reminders::new(of).expect("not too many")
}

async fn reminded(world: &World, owner: &Owner, of: Vec<Reminder>) -> Task {
    let new = Content { reminders: reminders(of), ..titled("remind me") };
    world.tasks.create(owner, new).await.expect("created")
}

/// Everything that has fired.
async fn fired(tasks: &Tasks) -> Vec<ReminderEvent> {
    let mut all: Vec<ReminderEvent> = Vec::new();
    loop {
        let last = all.last().map_or(0, |fired| fired.sequence);
        let more = tasks.reminder_events_after(every_user(), last).await.expect("firings");
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

async fn a_reminder_fires_once_in_its_time_and_leaves_its_task_alone(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    assert_eq!(world.tasks.fire_due(every_user()).await.expect("nothing"), None);
    let task = reminded(&world, &alice, vec![at(&world, 60)]).await;
    let due = world.tasks.now().plus_seconds(60);
    world.later(59);
    assert_eq!(world.tasks.fire_due(every_user()).await.expect("not yet"), Some(due));
    assert_eq!(fired(&world.tasks).await, []);
    world.later(1);
    for _ in 0..3 {
        assert_eq!(world.tasks.fire_due(every_user()).await.expect("fired"), None);
    }
    let all = fired(&world.tasks).await;
    let once = ReminderEvent {
        user_id: "alice".into(),
        task_id: task.id,
        due_at: due,
        at: due,
        revision: task.revision + 1,
        sequence: 1,
    };
    assert_eq!(all, [once]);
    assert!(!all[0].is_late());
    assert_eq!(world.tasks.get(&alice, task.id).await.expect("there"), task);
    assert_eq!(world.tasks.task_of_event(every_user(), &all[0]).await.expect("read"), Some(task));
    let other = ReminderEvent { user_id: "bob".into(), ..all[0].clone() };
    assert_eq!(world.tasks.task_of_event(every_user(), &other).await.expect("read"), None);
}

async fn stores_that_fire_at_the_same_time_fire_each_once_and_count_without_a_gap(
    fresh: FreshDatabase,
) {
    let world = World::on(&fresh).await;
    let mut expected = BTreeSet::new();
    for number in 0..20 {
        let owner = owner(&format!("user-{number}"));
        for _ in 0..2 {
            let task = reminded(&world, &owner, vec![at(&world, 5), at(&world, 6)]).await;
            expected.insert(task.id);
        }
    }
    world.later(10);
    let elsewhere = Database::connect(&fresh.url()).await.expect("a connection");
    let other = Tasks::new(elsewhere, world.clock.clone());
    let busy = owner("user-7");
    let change = async {
        for _ in 0..10 {
            world.made(&busy, "meanwhile").await;
        }
    };
    let (one, two, ()) =
        tokio::join!(world.tasks.fire_due(every_user()), other.fire_due(every_user()), change);
    one.and(two).expect("fired");
    world.tasks.fire_due(every_user()).await.expect("the rest");
    let all = fired(&world.tasks).await;
    let sequences: Vec<_> = all.iter().map(|fired| fired.sequence).collect();
    assert_eq!(sequences, (1..=80).collect::<Vec<_>>());
    let moments: BTreeSet<_> = all.iter().map(|fired| (fired.task_id, fired.due_at)).collect();
    assert_eq!(moments.len(), 80);
    assert_eq!(moments.iter().map(|(id, _)| *id).collect::<BTreeSet<_>>(), expected);
    let numbers: BTreeSet<_> = all.iter().map(|f| (f.user_id.as_str(), f.revision)).collect();
    assert_eq!(numbers.len(), 80, "each has a number of its own");
}

async fn overdue_reminders_fire_late_and_none_is_lost(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let task = reminded(&world, &alice, vec![at(&world, 10), at(&world, 500)]).await;
    world.tasks.clone().fire_due(every_user()).await.expect("nothing yet");
    world.later(71);
    let again = Database::connect(&fresh.url()).await.expect("a connection");
    let restarted = Tasks::new(again, world.clock.clone());
    restarted.fire_due(every_user()).await.expect("fired");
    let all = fired(&restarted).await;
    assert_eq!(all.iter().map(|f| (f.task_id, f.is_late())).collect::<Vec<_>>(), [(task.id, true)]);
    world.later(429 + 60);
    restarted.fire_due(every_user()).await.expect("fired");
    let late: Vec<_> = fired(&restarted).await.iter().map(ReminderEvent::is_late).collect();
    assert_eq!(late, [true, false], "a minute is not late");
}

async fn what_is_done_deleted_or_changed_does_not_fire(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, tasks) = (owner("alice"), &world.tasks);
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(reminded(&world, &alice, vec![at(&world, 60)]).await.id);
    }
    tasks.complete(&alice, made[0]).await.expect("completed");
    tasks.delete(&alice, made[1], None).await.expect("deleted");
    let none = TaskPatch { reminders: Some(reminders(vec![])), ..TaskPatch::default() };
    tasks.update(&alice, made[2], none, None).await.expect("changed");
    let later =
        TaskPatch { reminders: Some(reminders(vec![at(&world, 600)])), ..TaskPatch::default() };
    tasks.update(&alice, made[3], later, None).await.expect("changed");
    tasks.complete(&alice, made[4]).await.expect("completed");
    tasks.reopen(&alice, made[4]).await.expect("reopened");
    world.later(61);
    tasks.fire_due(every_user()).await.expect("fired");
    let ids: Vec<_> = fired(tasks).await.iter().map(|fired| fired.task_id).collect();
    assert_eq!(ids, [made[4]]);
    // What passed while it was done does not come back with it.
    tasks.reopen(&alice, made[0]).await.expect("reopened");
    tasks.undelete(&alice, made[1], None).await.expect("undeleted");
    tasks.fire_due(every_user()).await.expect("nothing");
    assert_eq!(fired(tasks).await.len(), 1);
}

async fn what_is_due_and_has_not_fired_outlives_a_change_of_something_else(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, tasks) = (owner("alice"), &world.tasks);
    let reminder = at(&world, 60);
    let task = reminded(&world, &alice, vec![reminder]).await;
    world.later(90);
    let patch = TaskPatch { title: Title::parse("other").ok(), ..TaskPatch::default() };
    tasks.update(&alice, task.id, patch, None).await.expect("changed");
    let more = reminders(vec![at(&world, 600), reminder]);
    let patch = TaskPatch { reminders: Some(more), ..TaskPatch::default() };
    tasks.update(&alice, task.id, patch, None).await.expect("changed");
    tasks.fire_due(every_user()).await.expect("fired");
    assert_eq!(fired(tasks).await.len(), 1);
}

async fn what_has_fired_does_not_fire_again(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, tasks) = (owner("alice"), &world.tasks);
    let task = reminded(&world, &alice, vec![at(&world, 60)]).await;
    world.later(60);
    tasks.fire_due(every_user()).await.expect("fired");
    // A clock that was set back makes its time one that is still to come.
    world.later(-30);
    let patch = TaskPatch { title: Title::parse("other").ok(), ..TaskPatch::default() };
    tasks.update(&alice, task.id, patch, None).await.expect("changed");
    tasks.toggle(&alice, task.id, None).await.expect("completed");
    tasks.toggle(&alice, task.id, None).await.expect("reopened");
    world.later(60);
    assert_eq!(tasks.fire_due(every_user()).await.expect("nothing"), None);
    assert_eq!(fired(tasks).await.len(), 1);
}

async fn a_reminder_event_is_retained_for_seven_days(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, tasks) = (owner("alice"), &world.tasks);
    let week = 7 * 24 * 60 * 60;
    reminded(&world, &alice, vec![at(&world, 1), at(&world, 100), at(&world, 2 * week)]).await;
    for _ in 0..2 {
        world.later(100);
        tasks.fire_due(every_user()).await.expect("fired");
    }
    assert_eq!(tasks.delete_old_reminder_events(every_user()).await.expect("swept"), 0);
    let all = fired(tasks).await;
    assert_eq!(all.len(), 2);
    world.later(week);
    assert_eq!(tasks.delete_old_reminder_events(every_user()).await.expect("swept"), 2);
    assert_eq!(fired(tasks).await, []);
    assert_eq!(tasks.last_reminder_event(every_user()).await.expect("a number"), 2);
    world.later(week);
    tasks.fire_due(every_user()).await.expect("fired");
    assert_eq!(fired(tasks).await.iter().map(|f| f.sequence).collect::<Vec<_>>(), [3]);
}

/// More than fire in one transaction, and than are found at one look.
async fn many_of_one_user_fire_in_order(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    for start in (0..12).map(|n| 130 - n * 10) {
        let ten = (0..10).map(|second| at(&world, start + second)).collect();
        reminded(&world, &alice, ten).await;
    }
    world.later(1_000);
    world.tasks.fire_due(every_user()).await.expect("fired");
    let all = fired(&world.tasks).await;
    assert_eq!(all.len(), 120);
    assert!(all.is_sorted_by_key(|fired| fired.due_at));
    assert!(all.is_sorted_by_key(|fired| fired.revision));
}

/// More than one query finds, and before those of all other users.
async fn a_user_whose_reminders_cannot_fire_does_not_delay_others(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob, zoe) = (owner("alice"), owner("bob"), owner("zoe"));
    for start in (0..12).map(|n| 1 + n * 10) {
        let ten = (0..10).map(|second| at(&world, start + second)).collect();
        reminded(&world, &bob, ten).await;
    }
    for other in [&alice, &zoe] {
        reminded(&world, other, vec![at(&world, 500)]).await;
    }
    let (jam, way) = match world.database.backend() {
        DbBackend::Postgres => (
            "ALTER TABLE task_revision ADD CONSTRAINT jam \
             CHECK (user_id <> 'bob' OR revision <= 12)",
            "ALTER TABLE task_revision DROP CONSTRAINT jam",
        ),
        _ => (
            "CREATE TRIGGER jam BEFORE UPDATE ON task_revision \
             WHEN new.user_id = 'bob' AND new.revision > 12 \
             BEGIN SELECT raise(ABORT, 'jammed'); END",
            "DROP TRIGGER jam",
        ),
    };
    world.database.writer().execute_unprepared(jam).await.expect("jammed");
    world.later(1_000);
    world.tasks.fire_due(every_user()).await.expect_err("his cannot");
    let users: BTreeSet<_> = fired(&world.tasks).await.into_iter().map(|f| f.user_id).collect();
    assert_eq!(users, BTreeSet::from(["alice".to_owned(), "zoe".to_owned()]));
    world.database.writer().execute_unprepared(way).await.expect("undone");
    assert_eq!(world.tasks.fire_due(every_user()).await.expect("fired"), None);
    assert_eq!(fired(&world.tasks).await.len(), 122);
}
