//! A copy kept in step: all there is, then what has changed, deletions included.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use proto::task::v1::{DeletedTask, Task};
use shared::clock::ManualClock;
use tonic::Code;

use crate::{
    answer::Refused,
    caller::SignedIn,
    scenarios::{in_both_worlds, in_both_worlds_with_manual_clock},
    world::World,
};

in_both_worlds!(
    a_copy_is_kept_in_step_by_what_has_changed,
    a_copy_is_complete_however_small_its_pages_are,
    a_copy_that_is_read_while_tasks_change_misses_nothing,
    a_token_is_taken_as_it_came_or_not_at_all,
    a_token_of_a_history_that_never_was_starts_over,
    what_others_do_changes_nothing_here,
);

in_both_worlds_with_manual_clock!(a_deletion_is_sent_with_its_time);

/// What a client keeps.
#[derive(Default)]
struct Copy {
    tasks: BTreeMap<String, Task>,
    token: String,
    deleted: Vec<DeletedTask>,
}

impl Copy {
    /// Catches up, in pages of this size. Returns the number of tasks received.
    async fn catch_up(&mut self, caller: &SignedIn, size: i32) -> usize {
        let mut received = 0;
        loop {
            let changes = caller.sync(&self.token, size).await.expect("changes");
            let page = changes.tasks.len() + changes.deleted.len();
            assert!(size == 0 || page <= usize::try_from(size).expect("a size"));
            received += page;
            for gone in changes.deleted {
                self.tasks.remove(&gone.id);
                self.deleted.push(gone);
            }
            let tasks = changes.tasks.into_iter().map(|task| (task.id.clone(), task));
            self.tasks.extend(tasks);
            self.token = changes.next_sync_token;
            if !changes.more {
                return received;
            }
        }
    }

    async fn assert_in_step(&self, caller: &SignedIn) {
        let all = caller.all_tasks().await;
        let all: BTreeMap<_, _> = all.into_iter().map(|task| (task.id.clone(), task)).collect();
        assert_eq!(self.tasks, all);
    }
}

async fn a_copy_is_kept_in_step_by_what_has_changed(world: &World) {
    let alice = world.alice().await;
    let mut copy = Copy::default();
    assert_eq!(copy.catch_up(&alice, 0).await, 0, "of nobody's tasks");
    let (a, b) = (alice.create("a").await, alice.create("b").await);
    assert_eq!(copy.catch_up(&alice, 0).await, 2);
    copy.assert_in_step(&alice).await;
    assert_eq!(copy.catch_up(&alice, 0).await, 0, "sent once");

    // Of a task that changed often the last state is sent, once.
    for title in ["x", "y", "z"] {
        alice.change(&a.id, &[], |it| it.title = Some(title.into())).await.expect("updated");
    }
    let changes = alice.sync(&copy.token, 0).await.expect("changes");
    let titles: Vec<_> = changes.tasks.iter().map(|task| task.title.as_str()).collect();
    assert_eq!((titles.as_slice(), changes.deleted.len()), (&["z"][..], 0));
    // A token can be used again: a client that lost the response repeats the request.
    assert_eq!(alice.sync(&copy.token, 0).await.expect("changes"), changes);
    copy.catch_up(&alice, 0).await;

    alice.complete(&b.id).await.expect("completed");
    assert_eq!(copy.catch_up(&alice, 0).await, 1);
    copy.assert_in_step(&alice).await;
    alice.put(&b.id, Some(&a.id), None).await.expect("moved");
    assert_eq!(copy.catch_up(&alice, 0).await, 1);
    copy.assert_in_step(&alice).await;
    alice.delete(&a.id).await.expect("deleted");
    assert_eq!(copy.catch_up(&alice, 0).await, 1);
    assert_eq!(copy.deleted.iter().map(|gone| &gone.id).collect::<Vec<_>>(), [&a.id]);
    copy.assert_in_step(&alice).await;
    alice.undelete(&a.id).await.expect("it is back");
    assert_eq!(copy.catch_up(&alice, 0).await, 1);
    copy.assert_in_step(&alice).await;
    // What changes nothing is no change.
    alice.complete(&b.id).await.expect("completed");
    assert_eq!(copy.catch_up(&alice, 0).await, 0);
    // A client that begins now receives no task that was deleted before.
    alice.delete(&a.id).await.expect("deleted");
    let all = alice.sync("", 0).await.expect("all there is");
    assert_eq!((all.tasks.len(), all.deleted.len(), all.more), (1, 0, false));
}

async fn a_copy_is_complete_however_small_its_pages_are(world: &World) {
    let alice = world.alice().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(alice.create(&format!("number {number}")).await);
    }
    for size in [1, 2, 7, 50] {
        let mut copy = Copy::default();
        assert_eq!(copy.catch_up(&alice, size).await, 7, "pages of {size}");
        copy.assert_in_step(&alice).await;
    }
    let first = alice.sync("", 3).await.expect("a page");
    assert_eq!((&first.tasks[..], first.more), (&made[..3], true), "oldest change first");
    assert_eq!(alice.sync("", -1).await.faulty(), ["page_size"]);
    assert_eq!(alice.sync("x", -1).await.faulty(), ["page_size", "sync_token"]);
}

async fn a_copy_that_is_read_while_tasks_change_misses_nothing(world: &World) {
    let alice = world.alice().await;
    for number in 0..5 {
        alice.create(&format!("number {number}")).await;
    }
    let writing = {
        let alice = alice.clone();
        tokio::spawn(async move {
            for number in 5..25 {
                let task = alice.create(&format!("number {number}")).await;
                if number % 3 == 0 {
                    alice.delete(&task.id).await.expect("deleted");
                } else {
                    alice.complete(&task.id).await.expect("completed");
                }
            }
        })
    };
    let mut copy = Copy::default();
    while !writing.is_finished() {
        copy.catch_up(&alice, 2).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    writing.await.expect("all is written");
    copy.catch_up(&alice, 2).await;
    copy.assert_in_step(&alice).await;
}

async fn a_token_is_taken_as_it_came_or_not_at_all(world: &World) {
    let alice = world.alice().await;
    alice.create("a").await;
    let token = alice.sync("", 0).await.expect("all there is").next_sync_token;
    let long = "A".repeat(10_000);
    for bad in
        [&token[1..], &format!("{token}A"), &format!("{token}="), "AAAA", "\0", "' --", &long]
    {
        assert_eq!(alice.sync(bad, 0).await.faulty(), ["sync_token"], "{bad:.40}");
    }
    alice.create("b").await;
    let page = alice.page(1, "", None).await.expect("a page").next_page_token;
    assert_eq!(alice.sync(&page, 0).await.faulty(), ["sync_token"], "a page token is none");
}

/// `token`, moved to a change that was never made: its number stands behind the version, the
/// user and the epoch.
pub fn ahead_of_all(token: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(token).expect("base64");
    bytes[1 + 8 + 8] += 1;
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A database that was restored to an older state, unknown to the service, has
/// nothing of changes that its clients have seen.
async fn a_token_of_a_history_that_never_was_starts_over(world: &World) {
    let alice = world.alice().await;
    alice.create("a").await;
    let token = alice.sync("", 0).await.expect("all there is").next_sync_token;
    alice.sync(&ahead_of_all(&token), 0).await.refused(Code::OutOfRange, "SYNC_TOKEN_TOO_OLD");
    assert_eq!(alice.sync("", 0).await.expect("all there is").tasks.len(), 1);
}

async fn what_others_do_changes_nothing_here(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    alice.create("hers").await;
    let mut copy = Copy::default();
    copy.catch_up(&alice, 0).await;
    let his = bob.create("his").await;
    bob.complete(&his.id).await.expect("completed");
    bob.delete(&his.id).await.expect("deleted");
    assert_eq!(copy.catch_up(&alice, 0).await, 0);
    // Her token is of her history, and none to him.
    assert_eq!(bob.sync(&copy.token, 0).await.faulty(), ["sync_token"]);
}

async fn a_deletion_is_sent_with_its_time(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    let task = alice.create("gone").await;
    let mut copy = Copy::default();
    copy.catch_up(&alice, 0).await;
    clock.advance(TimeDelta::seconds(90));
    alice.delete(&task.id).await.expect("deleted");
    copy.catch_up(&alice, 0).await;
    let received = copy.deleted.first().and_then(|gone| gone.deleted_at).expect("a moment");
    let made = task.created_at.expect("a moment");
    assert_eq!((received.seconds - made.seconds, received.nanos), (90, made.nanos));
}
