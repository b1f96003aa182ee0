//! The move of tasks: each writes one task.

use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::{ActiveValue::Set, ColumnTrait, QueryFilter};
use shared::error::Refusal;
use uuid::Uuid;

use super::world::{World, not_found, owner};
use crate::{
    domain::{
        etag::Etag,
        task::{Position, Task},
    },
    entity::task::{ActiveModel, Column, Entity},
    error::Error,
    query::sync::SyncRequest,
    store::{MoveTarget, owned::owned_update},
};

on_both_databases!(
    new_tasks_stand_at_the_end,
    a_task_moves_before_after_and_to_the_end_and_the_others_stay,
    a_move_to_where_it_stands_changes_nothing,
    a_move_names_a_task_of_the_same_user,
    without_a_free_position_the_tasks_behind_spread,
    tasks_that_share_a_position_are_parted_by_a_move,
);

/// All tasks of `user`, as they stand.
async fn standing(world: &World, user: &str) -> Vec<Task> {
    let all = SyncRequest { size: 200, after: None };
    let mut tasks = world.tasks.sync(&owner(user), &all).await.expect("all").tasks;
    tasks.sort_by(|a, b| (&a.position, a.id).cmp(&(&b.position, b.id)));
    tasks
}

async fn titles(world: &World, user: &str) -> String {
    standing(world, user).await.into_iter().map(|task| task.content.title.into_string()).collect()
}

async fn made(world: &World, titles: &str) -> Vec<Uuid> {
    let alice = owner("alice");
    let mut ids = Vec::new();
    for title in titles.chars() {
        ids.push(world.made(&alice, &title.to_string()).await.id);
    }
    ids
}

async fn new_tasks_stand_at_the_end(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    made(&world, "abc").await;
    assert_eq!(titles(&world, "alice").await, "abc");
}

async fn a_task_moves_before_after_and_to_the_end_and_the_others_stay(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let ids = made(&world, "abcde").await;
    let id = |title: char| ids["abcde".find(title).expect("one of five")];
    for (moved, target, order) in [
        (id('d'), MoveTarget::Before(id('b')), "adbce"),
        (id('a'), MoveTarget::After(id('c')), "dbcae"),
        (id('e'), MoveTarget::Before(id('d')), "edbca"),
        (id('b'), MoveTarget::End, "edcab"),
        (id('c'), MoveTarget::After(id('b')), "edabc"),
        (id('e'), MoveTarget::After(id('a')), "daebc"),
    ] {
        let before = standing(&world, "alice").await;
        world.later(1);
        let task = world.tasks.move_task(&alice, moved, target, None).await.expect("moved");
        assert_eq!(titles(&world, "alice").await, order);
        let after = standing(&world, "alice").await;
        assert!(after.contains(&task));
        let others = before.iter().filter(|task| task.id != moved);
        assert!(others.into_iter().all(|other| after.contains(other)), "{order}");
    }
    made(&world, "f").await;
    assert_eq!(titles(&world, "alice").await, "daebcf", "new ones stay behind all");
}

async fn a_move_to_where_it_stands_changes_nothing(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let ids = made(&world, "abc").await;
    let before = standing(&world, "alice").await;
    for target in
        [MoveTarget::Before(ids[1]), MoveTarget::After(ids[1]), MoveTarget::Before(ids[2])]
    {
        world.tasks.move_task(&alice, ids[1], target, None).await.expect("there");
    }
    world.tasks.move_task(&alice, ids[1], MoveTarget::After(ids[0]), None).await.expect("there");
    assert_eq!(standing(&world, "alice").await, before);
    let stale = world.tasks.move_task(&alice, ids[0], MoveTarget::End, Some(&Etag::of(99))).await;
    assert!(matches!(stale, Err(Error::Refused(Refusal::StaleEtag))));
}

async fn a_move_names_a_task_of_the_same_user(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, mallory) = (owner("alice"), owner("mallory"));
    let ids = made(&world, "ab").await;
    let his = world.made(&mallory, "x").await.id;
    let tasks = &world.tasks;
    assert!(not_found(&tasks.move_task(&mallory, ids[0], MoveTarget::End, None).await));
    assert!(not_found(&tasks.move_task(&mallory, his, MoveTarget::Before(ids[0]), None).await));
    assert!(not_found(&tasks.move_task(&alice, ids[0], MoveTarget::After(his), None).await));
    tasks.delete(&alice, ids[1], None).await.expect("deleted");
    assert!(not_found(&tasks.move_task(&alice, ids[0], MoveTarget::After(ids[1]), None).await));
    assert_eq!((&*titles(&world, "alice").await, &*titles(&world, "mallory").await), ("a", "x"));
}

async fn without_a_free_position_the_tasks_behind_spread(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let ids = made(&world, "abcd").await;
    // As after years of moves behind `a`.
    let long = format!("000000000001i{}1", "0".repeat(80));
    for (id, position) in [(ids[1], long.clone()), (ids[2], format!("{long}1"))] {
        let update = owned_update::<Entity>(&alice)
            .set(ActiveModel { position: Set(position), ..Default::default() });
        let update = update.filter(Column::Id.eq(id)).exec(world.database.writer()).await;
        assert_eq!(update.expect("written").rows_affected, 1);
    }
    assert_eq!(titles(&world, "alice").await, "abcd");
    world.tasks.move_task(&alice, ids[3], MoveTarget::After(ids[0]), None).await.expect("moved");
    let after = standing(&world, "alice").await;
    let order: String = after.iter().map(|task| task.content.title.as_str()).collect();
    assert_eq!(order, "adbc");
    let longest = after.iter().map(|task| task.position.as_str().len()).max();
    assert!(longest < Some(40), "{after:?}");
    assert!(after.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert!(after[3].position < Position::at_end(after[3].revision + 1, 0));
}

async fn tasks_that_share_a_position_are_parted_by_a_move(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let ids = made(&world, "abcd").await;
    let target = MoveTarget::After(ids[0]);
    world.tasks.move_task(&alice, ids[3], target, None).await.expect("moved");
    world.tasks.delete(&alice, ids[3], None).await.expect("deleted");
    // The same spot, while the one that had it is away.
    world.tasks.move_task(&alice, ids[2], target, None).await.expect("moved");
    world.tasks.undelete(&alice, ids[3], None).await.expect("back");
    let tied = standing(&world, "alice").await;
    assert_eq!(tied[1].position, tied[2].position);
    let between = MoveTarget::After(tied[1].id);
    world.tasks.move_task(&alice, ids[1], between, None).await.expect("moved");
    let after = standing(&world, "alice").await;
    let order: Vec<_> = after.iter().map(|task| task.id).collect();
    assert_eq!(order, [ids[0], tied[1].id, ids[1], tied[2].id]);
    assert!(after.windows(2).all(|pair| pair[0].position < pair[1].position));
    made(&world, "e").await;
    assert!(titles(&world, "alice").await.ends_with('e'), "new ones stay behind all");
}
