//! Sync: all changes after a cursor, once, in order, of one user alone.

use fixtures::{FreshDatabase, on_both_databases};

use super::world::{World, owner};
use crate::{
    domain::task::{Task, TaskPatch},
    query::sync::{Changes, SyncCursor, SyncRequest},
};

on_both_databases!(
    a_copy_that_is_kept_in_step_is_the_list,
    a_task_that_changed_often_comes_once_as_it_is_now,
    pages_of_changes_neither_repeat_nor_skip,
    what_changes_between_two_pages_still_comes,
    no_user_is_notified_of_changes_of_another,
);

async fn changes(world: &World, user: &str, after: Option<SyncCursor>, size: usize) -> Changes {
    world.tasks.sync(&owner(user), &SyncRequest { size, after }).await.expect("changes")
}

/// Everything after `after`, page by page.
async fn all(world: &World, user: &str, mut after: Option<SyncCursor>, size: usize) -> Vec<Task> {
    let mut seen = Vec::new();
    loop {
        let page = changes(world, user, after, size).await;
        assert!(page.tasks.len() == size || !page.more, "only the last page is short");
        seen.extend(page.tasks);
        after = Some(page.next);
        if !page.more {
            return seen;
        }
    }
}

async fn a_copy_that_is_kept_in_step_is_the_list(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let mut copy = std::collections::BTreeMap::new();
    let mut cursor = None;
    let mut made = Vec::new();
    for n in 0..30 {
        let task = world.made(&alice, &format!("task {n}")).await;
        made.push(task.id);
        match n % 4 {
            1 => drop(world.tasks.toggle(&alice, made[n / 2], None).await),
            2 => drop(world.tasks.delete(&alice, made[n / 3], None).await),
            3 => drop(world.tasks.undelete(&alice, made[n / 4], None).await),
            _ => {}
        }
        let page = changes(&world, "alice", cursor, 50).await;
        for task in page.tasks {
            if task.deleted_at.is_some() {
                copy.remove(&task.id);
            } else {
                copy.insert(task.id, task);
            }
        }
        cursor = Some(page.next);
        let mut list = all(&world, "alice", None, 7).await;
        list.retain(|task| task.deleted_at.is_none());
        assert_eq!(list.len(), copy.len());
        assert!(list.iter().all(|task| copy.get(&task.id) == Some(task)), "after {n}");
    }
}

async fn a_task_that_changed_often_comes_once_as_it_is_now(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let (one, two) = (world.made(&alice, "one").await, world.made(&alice, "two").await);
    let cursor = changes(&world, "alice", None, 50).await.next;
    for _ in 0..3 {
        world.tasks.toggle(&alice, one.id, None).await.expect("toggled");
    }
    let now = world.tasks.get(&alice, one.id).await.expect("there");
    world.tasks.update(&alice, two.id, TaskPatch::default(), None).await.expect("unchanged");
    let since = changes(&world, "alice", Some(cursor), 50).await;
    assert_eq!(since.tasks, [now]);
    let nothing = changes(&world, "alice", Some(since.next), 50).await;
    assert_eq!((nothing.tasks.len(), nothing.next, nothing.more), (0, since.next, false));
}

async fn pages_of_changes_neither_repeat_nor_skip(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    for n in 0..23 {
        let task = world.made(&alice, &format!("task {n}")).await;
        if n % 5 == 0 {
            world.tasks.delete(&alice, task.id, None).await.expect("deleted");
        }
    }
    let whole = all(&world, "alice", Some(SyncCursor::start(0, world.tasks.epoch().id)), 200).await;
    assert_eq!(whole.len(), 23);
    assert!(whole.is_sorted_by_key(|task| (task.revision, task.id)));
    for size in [1, 2, 5, 22, 23, 24] {
        assert_eq!(
            all(&world, "alice", Some(SyncCursor::start(0, world.tasks.epoch().id)), size).await,
            whole,
            "{size}"
        );
    }
    let live = all(&world, "alice", None, 200).await;
    assert_eq!(live.len(), 18, "who has nothing need not hear of deletions");
}

async fn what_changes_between_two_pages_still_comes(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let first = world.made(&alice, "first").await;
    for n in 0..4 {
        world.made(&alice, &format!("task {n}")).await;
    }
    let page = changes(&world, "alice", None, 3).await;
    assert!(page.more && page.tasks[0].id == first.id);
    world.tasks.complete(&alice, first.id).await.expect("completed");
    let rest = all(&world, "alice", Some(page.next), 3).await;
    assert_eq!(rest.len(), 3);
    assert!(rest.last().is_some_and(|task| task.id == first.id && task.completed()));
}

async fn no_user_is_notified_of_changes_of_another(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let hers = changes(&world, "alice", None, 50).await.next;
    for name in ["Alice", "alice ", "bob"] {
        world.made(&owner(name), name.trim()).await;
    }
    assert_eq!(changes(&world, "alice", Some(hers), 50).await.tasks, []);
    assert_eq!(changes(&world, "alice", None, 50).await.tasks, []);
}
