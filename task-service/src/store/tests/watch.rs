//! The events of a watch: each once, in order, for every page size.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use fixtures::{FreshDatabase, on_both_databases};
use futures_util::FutureExt;
use server::db::Database;
use shared::{auth::Owner, error::Refusal};
use uuid::Uuid;

use super::world::{World, every_user, owner, titled};
use crate::{
    domain::task::{Content, Reminder, Reminders, TaskPatch, Title},
    error::Error,
    query::sync::{SyncCursor, SyncRequest},
    store::{StoredEvent, Tasks},
};

on_both_databases!(
    changes_and_firings_come_in_one_order_however_small_the_pages,
    what_happens_while_it_is_read_is_left_for_the_next_time,
    nothing_is_missed_beside_writers_and_firings,
    a_first_watch_gets_no_earlier_events,
    a_cursor_before_purged_deletions_is_too_old,
    a_commit_notifies_its_user_and_a_refusal_no_one,
);

fn renamed(title: &str) -> TaskPatch {
    TaskPatch { title: Title::parse(title).ok(), ..TaskPatch::default() }
}

/// A task to be reminded of when the clock has moved so far.
async fn reminded(world: &World, owner: &Owner, title: &str, seconds: i64) -> Uuid {
    let moment = Reminder::At(world.tasks.now().plus_seconds(seconds));
    let reminders = Reminders::new(vec![moment]).expect("one");
    let new = Content { reminders, ..titled(title) };
    world.tasks.create(owner, new).await.expect("created").id
}

/// Everything after `place`, as words.
async fn all(tasks: &Tasks, owner: &Owner, mut place: SyncCursor, size: usize) -> Vec<String> {
    let mut words = Vec::new();
    loop {
        let page = tasks.events_by(owner, place, size).await.expect("a page");
        assert!(page.events.len() <= size);
        for (behind, event) in page.events {
            assert!(behind.order() > place.order());
            place = behind;
            words.push(match event {
                StoredEvent::Changed(task) if task.deleted_at.is_some() => {
                    format!("{} is gone", task.content.title.as_str())
                }
                StoredEvent::Changed(task) => task.content.title.into_string(),
                StoredEvent::Reminder(fired) => {
                    let task = tasks.reminded(owner, fired.task_id).await.expect("read");
                    format!(
                        "remember {}",
                        task.map_or_else(String::new, |task| task.content.title.into_string())
                    )
                }
            });
        }
        place = page.next;
        if !page.more {
            return words;
        }
    }
}

async fn changes_and_firings_come_in_one_order_however_small_the_pages(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob, tasks) = (owner("alice"), owner("bob"), &world.tasks);
    let beginning = tasks.beginning(&alice).await.expect("a place");
    let first = reminded(&world, &alice, "first", 1).await;
    reminded(&world, &alice, "second", 2).await;
    reminded(&world, &bob, "his", 9).await;
    let gone = world.made(&alice, "third").await.id;
    world.later(2);
    tasks.fire_due(every_user()).await.expect("fired");
    tasks.update(&alice, first, renamed("first again"), None).await.expect("changed");
    tasks.delete(&alice, gone, None).await.expect("deleted");
    let expected =
        ["second", "remember first again", "remember second", "first again", "third is gone"];
    for size in [1, 2, 3, 4, 50] {
        assert_eq!(all(tasks, &alice, beginning, size).await, expected, "{size}");
    }
    assert_eq!(all(tasks, &bob, tasks.beginning(&bob).await.expect("a place"), 50).await, ["his"]);
}

async fn what_happens_while_it_is_read_is_left_for_the_next_time(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, tasks) = (owner("alice"), &world.tasks);
    let beginning = tasks.beginning(&alice).await.expect("a place");
    reminded(&world, &alice, "one", 1).await;
    let history = tasks.history(&alice).await.expect("a number");
    world.later(1);
    tasks.fire_due(every_user()).await.expect("fired");
    world.made(&alice, "two").await;
    let page = tasks.events_until(&alice, beginning, history, 50).await.expect("a page");
    let [(place, StoredEvent::Changed(task))] = &page.events[..] else { panic!("{page:?}") };
    assert_eq!((task.content.title.as_str(), page.more), ("one", false));
    assert_eq!(page.next, beginning.behind_all_of(history.latest));
    for place in [*place, page.next] {
        assert_eq!(all(tasks, &alice, place, 50).await, ["remember one", "two"]);
    }
}

/// By a client that reconnects again and again, with the token of the last event. Each task
/// changes once, so what is missed does not come again.
async fn nothing_is_missed_beside_writers_and_firings(fresh: FreshDatabase) {
    const TASKS: usize = 100;
    const FIRINGS: i64 = 50;
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let mut ids = Vec::new();
    for number in 0..TASKS {
        ids.push(world.made(&alice, &number.to_string()).await.id);
    }
    for first in (1..=FIRINGS).step_by(10) {
        let at = |second| Reminder::At(world.tasks.now().plus_seconds(second));
        let reminders = Reminders::new((first..first + 10).map(at).collect()).expect("few");
        let new = Content { reminders, ..titled("done") };
        world.tasks.create(&alice, new).await.expect("created");
    }
    let beginning = world.tasks.beginning(&alice).await.expect("a place");
    let elsewhere = Database::connect(&fresh.url()).await.expect("a connection");
    let other = Tasks::new(elsewhere, world.clock.clone());
    let write = async {
        for id in &ids {
            other.update(&alice, *id, renamed("done"), None).await.expect("changed");
        }
    };
    let fire = async {
        for _ in 0..FIRINGS {
            world.later(1);
            world.tasks.fire_due(every_user()).await.expect("fired");
        }
    };
    let over = AtomicBool::new(false);
    let read = async {
        let (mut place, mut done, mut fired) = (beginning, BTreeSet::new(), 0);
        loop {
            let is_over = over.load(Ordering::Relaxed);
            let page = world.tasks.events_after(&alice, place).await.expect("a page");
            let is_all = is_over && page.events.is_empty();
            place = page.events.last().map_or(page.next, |(behind, _)| *behind);
            for (_, event) in page.events {
                match event {
                    StoredEvent::Changed(task) if task.content.title.as_str() == "done" => {
                        done.insert(task.id);
                    }
                    StoredEvent::Changed(_) => {}
                    StoredEvent::Reminder(_) => fired += 1,
                }
            }
            if is_all {
                break;
            }
        }
        (ids.iter().filter(|id| !done.contains(id)).count(), fired)
    };
    let all = async {
        tokio::join!(write, fire);
        over.store(true, Ordering::Relaxed);
    };
    let ((), seen) = tokio::join!(all, read);
    assert_eq!(seen, (0, FIRINGS));
}

async fn a_first_watch_gets_no_earlier_events(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, tasks) = (owner("alice"), &world.tasks);
    reminded(&world, &alice, "kept", 1).await;
    let gone = world.made(&alice, "gone").await.id;
    world.later(1);
    tasks.fire_due(every_user()).await.expect("fired");
    tasks.delete(&alice, gone, None).await.expect("deleted");
    let place = tasks.beginning(&alice).await.expect("a place");
    assert_eq!(all(tasks, &alice, place, 1).await, ["kept"]);
    // The cursor stays valid after their retention.
    world.later(10);
    assert_eq!(tasks.empty_trash(every_user(), Duration::from_secs(5)).await.expect("purged"), 1);
    assert_eq!(all(tasks, &alice, place, 1).await, ["kept"]);
    let request = SyncRequest { size: 50, after: None };
    let mut changes = tasks.sync(&alice, &request).await.expect("all there is");
    assert_eq!(changes.tasks.len(), 1);
    let token = SyncCursor::parse(&changes.next.token("alice"), "alice").expect("a token");
    let request = SyncRequest { size: 50, after: Some(token) };
    changes = tasks.sync(&alice, &request).await.expect("nothing new, and not too old");
    assert!(changes.tasks.is_empty() && !changes.more);
}

async fn a_cursor_before_purged_deletions_is_too_old(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, tasks) = (owner("alice"), &world.tasks);
    let task = world.made(&alice, "a").await;
    let before = tasks.beginning(&alice).await.expect("a place");
    tasks.delete(&alice, task.id, None).await.expect("deleted");
    let after = tasks.beginning(&alice).await.expect("a place");
    world.later(10);
    tasks.empty_trash(every_user(), Duration::from_secs(5)).await.expect("purged");
    let too_old = |answer| matches!(answer, Err(Error::Refused(Refusal::SyncTokenTooOld)));
    assert!(too_old(tasks.events_after(&alice, before).await));
    assert!(
        too_old(tasks.events_after(&alice, before.behind_all_of(99)).await),
        "of another database"
    );
    assert!(tasks.events_after(&alice, after).await.expect("good").events.is_empty());
    let request = SyncRequest { size: 50, after: Some(before) };
    assert!(matches!(
        tasks.sync(&alice, &request).await,
        Err(Error::Refused(Refusal::SyncTokenTooOld))
    ));
}

async fn a_commit_notifies_its_user_and_a_refusal_no_one(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, tasks) = (owner("alice"), &world.tasks);
    let [mut hers, mut his] = ["alice", "bob"].map(|user| tasks.pubsub().subscribe(user));
    let mut firings = tasks.pubsub().subscribe_reminders();
    let id = reminded(&world, &alice, "a", 1).await;
    assert!(hers.notified().now_or_never().is_some());
    tasks.delete(&alice, Uuid::nil(), None).await.expect_err("unknown");
    tasks.reopen(&alice, id).await.expect("it is open");
    assert!(hers.notified().now_or_never().is_none(), "nothing has changed");
    world.later(1);
    tasks.fire_due(every_user()).await.expect("fired");
    assert!(hers.notified().now_or_never().is_some());
    assert!(firings.changed().now_or_never().is_some());
    assert!(his.notified().now_or_never().is_none());
}
