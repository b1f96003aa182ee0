//! Lists, page by page.

use std::collections::HashSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::{StreamExt, stream};
use proto::task::v1::{CompleteTaskRequest, DeleteTaskRequest, ListTasksRequest, Task};
use shared::clock::ManualClock;

use crate::{
    answer::Refused,
    caller::SignedIn,
    scenarios::{in_both_worlds, in_both_worlds_with_manual_clock},
    world::World,
};

in_both_worlds!(
    pages_neither_repeat_nor_skip_while_tasks_come_and_go,
    a_filter_holds_over_all_pages,
    a_page_token_is_good_for_its_own_list_alone,
    page_sizes_are_bounded,
    the_number_of_all_tasks_is_returned_on_demand,
);

in_both_worlds_with_manual_clock!(ties_are_broken_by_id);

/// All pages of this size, joined.
async fn paged(caller: &SignedIn, size: i32, completed: Option<bool>) -> Vec<Task> {
    let (mut tasks, mut token) = (Vec::new(), String::new());
    loop {
        let page = caller.page(size, &token, completed).await.expect("a page");
        let full = usize::try_from(size).expect("a size");
        assert!(page.tasks.len() <= full);
        tasks.extend(page.tasks);
        token = page.next_page_token;
        if token.is_empty() {
            return tasks;
        }
    }
}

/// Every task is created at the same time: only the ids differ.
async fn ties_are_broken_by_id(world: &World, _still: &ManualClock) {
    let alice = world.alice().await;
    let mut made = Vec::new();
    for number in 0..12 {
        made.push(alice.create(&format!("number {number}")).await);
    }
    made.sort_by(|one, other| other.id.cmp(&one.id));
    for size in [1, 5, 12, 50] {
        assert_eq!(paged(&alice, size, None).await, made, "pages of {size}");
    }
}

async fn pages_neither_repeat_nor_skip_while_tasks_come_and_go(world: &World) {
    let alice = world.alice().await;
    let mut made = Vec::new();
    for number in 0..9 {
        made.push(alice.create(&format!("number {number}")).await.id);
    }
    made.reverse();
    let first = alice.page(3, "", None).await.expect("a page");
    // New ones come before the first page; the one that the token points at goes away.
    alice.create("newer").await;
    let last = first.tasks[2].id.clone();
    let gone = DeleteTaskRequest { user_id: alice.id(), id: last, etag: String::new() };
    alice.tasks().delete_task(gone).await.expect("deleted");
    let second = alice.page(3, &first.next_page_token, None).await.expect("a page");
    alice.create("newest").await;
    let third = alice.page(3, &second.next_page_token, None).await.expect("a page");
    assert_eq!(third.next_page_token, "");

    let seen: Vec<String> = [first, second, third]
        .into_iter()
        .flat_map(|page| page.tasks)
        .map(|task| task.id)
        .collect();
    assert_eq!(seen, made);
    assert_eq!(alice.all_tasks().await.len(), 10);
}

async fn a_filter_holds_over_all_pages(world: &World) {
    let alice = world.alice().await;
    let bob = world.bob().await;
    bob.create("not hers").await;
    let mut done = HashSet::new();
    for number in 0..7 {
        let task = alice.create(&format!("number {number}")).await;
        if number % 2 == 0 {
            let request = CompleteTaskRequest {
                user_id: alice.id(),
                id: task.id.clone(),
                etag: String::new(),
            };
            alice.tasks().complete_task(request).await.expect("completed");
            done.insert(task.id);
        }
    }
    let ids = |tasks: Vec<Task>| tasks.into_iter().map(|task| task.id).collect::<HashSet<_>>();
    assert_eq!(ids(paged(&alice, 2, Some(true)).await), done);
    let open = ids(paged(&alice, 2, Some(false)).await);
    assert_eq!(open.len(), 3);
    assert!(open.is_disjoint(&done));
    assert_eq!(paged(&alice, 2, None).await.len(), 7);
}

async fn a_page_token_is_good_for_its_own_list_alone(world: &World) {
    let alice = world.alice().await;
    for number in 0..3 {
        alice.create(&format!("number {number}")).await;
    }
    let token = alice.page(1, "", None).await.expect("a page").next_page_token;
    alice.page(1, &token, None).await.expect("its own list");
    for other in [Some(true), Some(false)] {
        assert_eq!(alice.page(1, &token, other).await.faulty(), ["page_token"]);
    }
    let mut bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64");
    bytes[0] ^= 1;
    let tampered = URL_SAFE_NO_PAD.encode(bytes);
    for bad in [
        tampered.as_str(),
        &token[1..],
        &format!("{token}A"),
        &format!("{token}="),
        "AAAA",
        "' OR 1=1 --",
        "\0",
        &"A".repeat(10_000),
    ] {
        assert_eq!(alice.page(1, bad, None).await.faulty(), ["page_token"], "{bad:.40}");
    }
    // A page token belongs to its user's list: bob is refused, and sees nothing.
    let bob = world.bob().await;
    assert_eq!(bob.page(1, &token, None).await.faulty(), ["page_token"]);
}

async fn page_sizes_are_bounded(world: &World) {
    let alice = world.alice().await;
    // A few at a time: SQLite writes one after another, and none should wait too long.
    let creations = stream::iter(0..202).map(|number| {
        let alice = alice.clone();
        async move { alice.create(&format!("number {number}")).await }
    });
    creations.buffer_unordered(8).collect::<Vec<_>>().await;
    for (asked, given) in [(0, 50), (1, 1), (200, 200), (201, 200), (i32::MAX, 200)] {
        let page = alice.page(asked, "", None).await.expect("a page");
        assert_eq!(page.tasks.len(), given, "{asked}");
        assert!(!page.next_page_token.is_empty());
    }
    for negative in [-1, i32::MIN] {
        assert_eq!(alice.page(negative, "", None).await.faulty(), ["page_size"]);
    }
    assert_eq!(alice.page(-1, "x", None).await.faulty(), ["page_size", "page_token"]);
}

async fn the_number_of_all_tasks_is_returned_on_demand(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    bob.create("not hers").await;
    for number in 0..3 {
        alice.create(&format!("number {number}")).await;
    }
    let page = async |completed: Option<bool>, include_total: bool, page_token: &str| {
        let wanted = ListTasksRequest {
            user_id: alice.id(),
            page_size: 2,
            page_token: page_token.into(),
            completed,
            include_total,
            ..ListTasksRequest::default()
        };
        alice.tasks().list_tasks(wanted).await.expect("a page").into_inner()
    };
    let first = page(None, true, "").await;
    assert_eq!((first.total_size, first.tasks.len()), (Some(3), 2));
    let last = page(None, true, &first.next_page_token).await;
    assert_eq!((last.total_size, last.tasks.len()), (Some(3), 1), "of all pages");
    assert_eq!(page(None, false, "").await.total_size, None);
    assert_eq!(page(Some(true), true, "").await.total_size, Some(0), "of the filter");
    assert_eq!(page(Some(false), true, "").await.total_size, Some(3), "of the filter");
}
