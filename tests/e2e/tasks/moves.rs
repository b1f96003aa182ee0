//! Moves: the order that a user gives their tasks.

use futures_util::future::join_all;
use proto::task::v1::{MoveTaskRequest, Task};
use tonic::Code;

use crate::{answer::Refused, caller::SignedIn, scenarios::in_both_worlds, world::World};

in_both_worlds!(
    new_tasks_stand_at_the_end,
    a_moved_task_stands_where_it_was_put_and_the_others_stay,
    moving_to_where_it_stands_changes_nothing,
    between_two_positions_there_is_always_another,
    concurrent_moves_leave_an_order_with_every_task,
    a_move_names_one_neighbour_of_the_users_own,
    a_change_of_another_version_moves_nothing,
);

/// The titles in the order the user gave: as the positions compare, byte by byte.
async fn ordered(caller: &SignedIn) -> Vec<String> {
    let mut tasks = caller.all_tasks().await;
    tasks.sort_by(|one, other| one.position.as_bytes().cmp(other.position.as_bytes()));
    let same = tasks.windows(2).find(|pair| pair[0].position == pair[1].position);
    assert!(same.is_none(), "two in one place: {same:?}");
    tasks.into_iter().map(|task| task.title).collect()
}

/// Three tasks: a, b and c.
async fn three(caller: &SignedIn) -> [Task; 3] {
    [caller.create("a").await, caller.create("b").await, caller.create("c").await]
}

async fn new_tasks_stand_at_the_end(world: &World) {
    let alice = world.alice().await;
    three(&alice).await;
    assert_eq!(ordered(&alice).await, ["a", "b", "c"]);
}

async fn a_moved_task_stands_where_it_was_put_and_the_others_stay(world: &World) {
    let alice = world.alice().await;
    let [a, b, c] = three(&alice).await;
    let moved = alice.put(&c.id, Some(&a.id), None).await.expect("moved");
    assert_eq!(ordered(&alice).await, ["c", "a", "b"]);
    let only_that = Task {
        position: moved.position.clone(),
        updated_at: moved.updated_at,
        etag: moved.etag.clone(),
        ..c.clone()
    };
    assert_eq!(moved, only_that);
    alice.put(&c.id, None, Some(&a.id)).await.expect("moved");
    assert_eq!(ordered(&alice).await, ["a", "c", "b"]);
    alice.put(&a.id, None, None).await.expect("moved");
    assert_eq!(ordered(&alice).await, ["c", "b", "a"]);
    alice.create("d").await;
    alice.put(&b.id, None, None).await.expect("moved");
    assert_eq!(ordered(&alice).await, ["c", "a", "d", "b"]);
    assert_eq!(alice.get(&a.id).await.expect("the task").title, "a");
}

async fn moving_to_where_it_stands_changes_nothing(world: &World) {
    let alice = world.alice().await;
    let [a, b, c] = three(&alice).await;
    for (before, after) in
        [(Some(&c.id), None), (None, Some(&a.id)), (Some(&b.id), None), (None, Some(&b.id))]
    {
        let (before, after) = (before.map(String::as_str), after.map(String::as_str));
        assert_eq!(alice.put(&b.id, before, after).await.expect("there already"), b);
    }
    assert_eq!(ordered(&alice).await, ["a", "b", "c"]);
}

/// Two tasks that take turns in one gap: it gets narrower each time.
async fn between_two_positions_there_is_always_another(world: &World) {
    let alice = world.alice().await;
    let [a, b, c] = three(&alice).await;
    for round in 0..60 {
        let (one, other) = if round % 2 == 0 { (&c, &b) } else { (&b, &c) };
        alice.put(&one.id, None, Some(&a.id)).await.expect("moved");
        let expected = ["a", &one.title, &other.title];
        assert_eq!(ordered(&alice).await, expected, "{round}");
    }
    let longest = alice.all_tasks().await.into_iter().map(|task| task.position.len()).max();
    assert!(longest.is_some_and(|length| length <= 256), "{longest:?}");
}

async fn concurrent_moves_leave_an_order_with_every_task(world: &World) {
    let alice = world.alice().await;
    let [a, b, c] = three(&alice).await;
    let moves = (0..12).map(|number| {
        let (one, other) = if number % 2 == 0 { (&b, &a) } else { (&c, &a) };
        alice.put(&one.id, Some(&other.id), None)
    });
    for moved in join_all(moves).await {
        moved.expect("moved");
    }
    let order = ordered(&alice).await;
    assert!(order == ["b", "c", "a"] || order == ["c", "b", "a"], "{order:?}");
}

async fn a_move_names_one_neighbour_of_the_users_own(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let [a, b, _] = three(&alice).await;
    let his = bob.create("his").await;
    let gone = alice.create("gone").await;
    alice.delete(&gone.id).await.expect("deleted");
    let unknown = "01890f3e-5a7d-7e9b-8c0f-46285a7d3e9b";
    let nowhere = alice.put(&a.id, Some(unknown), None).await.answer();
    for other in [&*his.id, &gone.id, "nonsense", "", "\0"] {
        assert_eq!(alice.put(&a.id, Some(other), None).await.answer(), nowhere, "{other:?}");
        assert_eq!(alice.put(&a.id, None, Some(other)).await.answer(), nowhere, "{other:?}");
    }
    let missing = alice.put(&a.id, Some(unknown), None).await;
    missing.refused(Code::NotFound, "TASK_NOT_FOUND");
    let both = alice.put(&a.id, Some(&b.id), Some(&b.id)).await;
    assert_eq!(both.faulty(), ["after"]);
    assert_eq!(ordered(&alice).await, ["a", "b", "c"]);
    assert_eq!(bob.all_tasks().await, [his]);
}

async fn a_change_of_another_version_moves_nothing(world: &World) {
    let alice = world.alice().await;
    let [a, _, c] = three(&alice).await;
    let request = |etag: &str| MoveTaskRequest {
        user_id: alice.id(),
        id: c.id.clone(),
        before: Some(a.id.clone()),
        after: None,
        etag: etag.into(),
    };
    alice.tasks().move_task(request(&a.etag)).await.refused(Code::Aborted, "STALE_ETAG");
    assert_eq!(ordered(&alice).await, ["a", "b", "c"]);
    alice.tasks().move_task(request(&c.etag)).await.expect("moved");
    alice.tasks().move_task(request(&c.etag)).await.refused(Code::Aborted, "STALE_ETAG");
    assert_eq!(ordered(&alice).await, ["c", "a", "b"]);
}
