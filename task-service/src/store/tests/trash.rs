//! The trash: undelete restores a task until its retention ends.

use std::time::Duration;

use fixtures::{FreshDatabase, on_both_databases};
use shared::error::Refusal;

use super::world::{World, every_user, first_page, not_found, owner, requested, titled};
use crate::{
    domain::{
        etag::Etag,
        task::{Content, Tags},
    },
    error::Error,
    query::sync::{SyncCursor, SyncRequest},
};

on_both_databases!(
    a_deleted_task_is_nowhere_and_comes_back_as_it_was,
    only_the_owner_takes_a_task_out_of_the_trash,
    what_is_not_in_the_trash_is_left_alone,
    the_trash_is_emptied_after_its_retention_alone,
    a_client_that_synced_before_a_purged_deletion_starts_over,
    purges_at_the_same_time_do_not_disturb_each_other,
    a_large_trash_is_purged_to_its_end,
);

const DAY: i64 = 24 * 60 * 60;
const RETENTION: Duration = Duration::from_hours(30 * 24);

async fn a_deleted_task_is_nowhere_and_comes_back_as_it_was(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let tags = Tags::parse(vec!["Home".into()]).expect("tags");
    let made = world.tasks.create(&alice, Content { tags, ..titled("a") }).await.expect("created");
    let done = world.tasks.complete(&alice, made.id).await.expect("completed");
    world.later(60);
    let stale = world.tasks.delete(&alice, made.id, Some(&Etag::of(made.revision))).await;
    assert!(matches!(stale, Err(Error::Refused(Refusal::StaleEtag))));
    world.tasks.delete(&alice, made.id, Some(&Etag::of(done.revision))).await.expect("deleted");

    let (tasks, id) = (&world.tasks, made.id);
    assert!(not_found(&tasks.get(&alice, id).await));
    assert!(not_found(&tasks.reopen(&alice, id).await));
    assert!(not_found(&tasks.skip(&alice, id, None).await));
    assert!(not_found(&tasks.delete(&alice, id, None).await));
    assert_eq!(world.titles(&alice).await, [""; 0]);

    let back = tasks.undelete(&alice, id, None).await.expect("back");
    assert!(back.revision > done.revision, "a version of its own");
    assert_eq!(back, crate::domain::task::Task { revision: back.revision, ..done });
    assert_eq!(tasks.get(&alice, id).await.expect("there"), back);
    assert_eq!(world.titles(&alice).await, ["a"]);
}

async fn only_the_owner_takes_a_task_out_of_the_trash(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, mallory) = (owner("alice"), owner("mallory"));
    let made = world.made(&alice, "hers").await;
    world.tasks.delete(&alice, made.id, None).await.expect("deleted");
    assert!(not_found(&world.tasks.undelete(&mallory, made.id, None).await));
    assert!(not_found(&world.tasks.get(&alice, made.id).await));
    let page = world.tasks.list(&mallory, &first_page()).await.expect("a page");
    assert_eq!(page.tasks, []);
}

async fn what_is_not_in_the_trash_is_left_alone(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.made(&alice, "a").await;
    assert_eq!(world.tasks.undelete(&alice, made.id, None).await.expect("there"), made);
    assert!(not_found(&world.tasks.undelete(&alice, uuid::Uuid::from_u128(7), None).await));
}

async fn the_trash_is_emptied_after_its_retention_alone(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let users = [owner("alice"), owner("bob"), owner("carol")];
    let mut old = Vec::new();
    for user in &users[..2] {
        for title in ["x", "y"] {
            let task = world.tasks.create(user, requested(title, title)).await.expect("created");
            world.tasks.delete(user, task.id, None).await.expect("deleted");
            old.push((user, task));
        }
    }
    let kept = world.made(&users[2], "kept").await;
    world.later(DAY);
    let young = world.made(&users[0], "young").await;
    world.tasks.delete(&users[0], young.id, None).await.expect("deleted");
    world.later(29 * DAY);
    assert_eq!(world.tasks.empty_trash(every_user(), RETENTION).await.expect("purged"), 4);
    assert_eq!(world.tasks.empty_trash(every_user(), RETENTION).await.expect("purged"), 0);
    for (user, task) in &old {
        assert!(not_found(&world.tasks.undelete(user, task.id, None).await));
    }
    assert!(world.tasks.undelete(&users[0], young.id, None).await.is_ok());
    assert_eq!(world.tasks.get(&users[2], kept.id).await.expect("there"), kept);
}

async fn a_client_that_synced_before_a_purged_deletion_starts_over(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let (gone, stays) = (world.made(&alice, "gone").await, world.made(&alice, "stays").await);
    world.made(&bob, "his").await;
    let sync = async |after| world.tasks.sync(&alice, &SyncRequest { size: 50, after }).await;
    let before = sync(None).await.expect("all").next;
    world.tasks.delete(&alice, gone.id, None).await.expect("deleted");
    let after = sync(Some(before)).await.expect("a deletion").next;
    world.later(31 * DAY);
    assert_eq!(world.tasks.empty_trash(every_user(), RETENTION).await.expect("purged"), 1);
    assert!(matches!(sync(Some(before)).await, Err(Error::Refused(Refusal::SyncTokenTooOld))));
    let since = sync(Some(after)).await.expect("nothing was missed");
    assert_eq!((since.tasks, since.next), (Vec::new(), after));
    let all = sync(None).await.expect("all");
    assert_eq!(all.tasks, [stays]);
    // A number that this database never gave out.
    let future = SyncCursor { revision: 1_000, ..after };
    assert!(matches!(sync(Some(future)).await, Err(Error::Refused(Refusal::SyncTokenTooOld))));
    let his = world.tasks.sync(&bob, &SyncRequest { size: 50, after: None }).await.expect("his");
    assert_eq!(his.tasks.len(), 1, "a purge is of one user");
}

async fn purges_at_the_same_time_do_not_disturb_each_other(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    for user in ["alice", "bob", "carol", "dave"].map(owner) {
        for n in 0..5 {
            let task = world.made(&user, &format!("{n}")).await;
            world.tasks.delete(&user, task.id, None).await.expect("deleted");
        }
    }
    world.later(31 * DAY);
    let purge = || world.tasks.empty_trash(every_user(), RETENTION);
    let (one, two, three) = tokio::join!(purge(), purge(), purge());
    let all = [one, two, three].map(|purged| purged.expect("purged"));
    assert_eq!(all.iter().sum::<u64>(), 20);
}

/// More than one transaction takes.
async fn a_large_trash_is_purged_to_its_end(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    for _ in 0..6 {
        let new = (0..100).map(|n| titled(&format!("{n}"))).collect();
        let tasks = world.tasks.create_all(&alice, new, None).await.expect("created");
        let ids: Vec<_> = tasks.iter().map(|task| task.id).collect();
        world.tasks.delete_all(&alice, &ids, None).await.expect("deleted");
    }
    let kept = world.made(&alice, "kept").await;
    world.later(31 * DAY);
    assert_eq!(world.tasks.empty_trash(every_user(), RETENTION).await.expect("purged"), 600);
    assert_eq!(world.tasks.empty_trash(every_user(), RETENTION).await.expect("purged"), 0);
    assert_eq!(world.tasks.get(&alice, kept.id).await.expect("there"), kept);
}
