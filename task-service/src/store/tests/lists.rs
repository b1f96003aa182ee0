//! Pages: complete and in order.

use fixtures::{FreshDatabase, on_both_databases};

use super::world::{World, after, first_page, in_state, owner};
use crate::{domain::task::Task, query::page::PageRequest};

on_both_databases!(
    paging_across_ties_neither_repeats_nor_skips,
    what_comes_and_goes_between_pages_disturbs_nothing_else,
    the_filter_selects_by_state,
    all_tasks_of_the_filter_and_the_owner_are_counted_if_asked,
);

/// All pages of `request`, as a caller queues them, doing `between` after each.
pub async fn all(
    world: &World,
    user: &str,
    mut request: PageRequest,
    between: impl AsyncFn(),
) -> Vec<Task> {
    let owner = owner(user);
    let mut seen = Vec::new();
    loop {
        let page = world.tasks.list(&owner, &request).await.expect("a page");
        assert!(page.tasks.len() <= request.size);
        let last = page.next.is_none();
        let reads_all = world.tasks.bounds.page >= 1_000;
        assert!(
            last || !reads_all || page.tasks.len() == request.size,
            "only the last page is short"
        );
        if !last {
            request = after(user, &page, &request);
        }
        seen.extend(page.tasks);
        if last {
            return seen;
        }
        between().await;
    }
}

async fn paging_across_ties_neither_repeats_nor_skips(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let mut made = Vec::new();
    for n in 0..23 {
        // Five at a time share their moment to the microsecond.
        if n % 5 == 0 {
            world.later(1);
        }
        made.push(world.made(&alice, &format!("task {n}")).await);
    }
    made.sort_by_key(|task| std::cmp::Reverse((task.created_at, task.id)));
    for size in [1, 2, 5, 7, 22, 23, 24] {
        let request = PageRequest { size, ..first_page() };
        assert_eq!(all(&world, "alice", request, async || {}).await, made, "{size}");
    }
}

async fn what_comes_and_goes_between_pages_disturbs_nothing_else(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let mut made = Vec::new();
    for n in 0..12 {
        made.push(world.made(&alice, &format!("task {n}")).await);
    }
    let gone = world.made(&alice, "gone").await;
    made.sort_by_key(|task| std::cmp::Reverse((task.created_at, task.id)));
    let request = PageRequest { size: 5, ..first_page() };
    let seen = all(&world, "alice", request, async || {
        world.later(1);
        world.made(&alice, "new").await;
        let _ = world.tasks.delete(&alice, gone.id, None).await;
    })
    .await;
    let old: Vec<_> =
        seen.into_iter().filter(|task| task.content.title.as_str().starts_with("task")).collect();
    assert_eq!(old, made);
}

async fn the_filter_selects_by_state(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    for n in 0..9 {
        let task = world.made(&alice, &format!("{}", n % 3)).await;
        if n % 3 == 0 {
            world.tasks.complete(&alice, task.id).await.expect("completed");
        }
    }
    for (completed, count) in [(None, 9), (Some(true), 3), (Some(false), 6)] {
        let request = PageRequest { size: 2, filter: in_state(completed), ..first_page() };
        let seen = all(&world, "alice", request, async || {}).await;
        assert_eq!(seen.len(), count);
        assert!(completed.is_none_or(|state| seen.iter().all(|task| task.completed() == state)));
    }
    assert_eq!(all(&world, "bob", first_page(), async || {}).await, []);
}

async fn all_tasks_of_the_filter_and_the_owner_are_counted_if_asked(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    world.made(&bob, "his").await;
    for n in 0..5 {
        let task = world.made(&alice, &format!("task {n}")).await;
        if n < 2 {
            world.tasks.complete(&alice, task.id).await.expect("completed");
        }
    }
    for (completed, total) in [(None, 5), (Some(true), 2), (Some(false), 3)] {
        let filter = in_state(completed);
        let first = PageRequest { size: 1, filter, with_total: true, ..first_page() };
        let page = world.tasks.list(&alice, &first).await.expect("a page");
        assert_eq!((page.tasks.len(), page.total), (1, Some(total)), "{completed:?}");
        let second =
            world.tasks.list(&alice, &after("alice", &page, &first)).await.expect("a page");
        assert_eq!(second.total, Some(total), "the place does not count");
    }
    let page = world.tasks.list(&alice, &first_page()).await.expect("a page");
    assert_eq!(page.total, None);
}
