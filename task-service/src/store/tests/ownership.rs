//! Nobody reaches what is another user's, by any method.

use super::world::{World, first_page, not_found, owner, requested};
use crate::{
    domain::{
        etag::Etag,
        task::{Task, TaskPatch},
    },
    store::{owned::owned_insert, row::whole},
};
use fixtures::{FreshDatabase, on_both_databases};

on_both_databases!(
    a_foreign_id_is_an_unknown_id_and_the_task_stays_as_it_is,
    users_whose_names_are_nearly_equal_are_strangers,
    request_ids_and_change_numbers_are_each_users_own,
    even_an_id_that_two_users_share_names_a_task_of_each,
);

async fn a_foreign_id_is_an_unknown_id_and_the_task_stays_as_it_is(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, mallory) = (owner("alice"), owner("mallory"));
    let task = world.made(&alice, "hers").await;
    world.made(&mallory, "his").await;
    let (tasks, id, etag) = (&world.tasks, task.id, Etag::of(task.revision));
    for etag in [None, Some(&etag)] {
        let patch = TaskPatch::completed(true);
        assert!(not_found(&tasks.update(&mallory, id, patch, etag).await));
        assert!(not_found(&tasks.delete(&mallory, id, etag).await));
    }
    assert!(not_found(&tasks.get(&mallory, id).await));
    assert!(not_found(&tasks.complete(&mallory, id).await));
    assert!(not_found(&tasks.reopen(&mallory, id).await));
    assert!(not_found(&tasks.toggle(&mallory, id, None).await));
    assert!(not_found(&tasks.skip(&mallory, id, None).await));
    assert_eq!(world.titles(&mallory).await, ["his"]);
    assert_eq!(tasks.get(&alice, id).await.expect("still there"), task);
    assert_eq!(world.titles(&alice).await, ["hers"]);
}

async fn users_whose_names_are_nearly_equal_are_strangers(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let names = ["alice", "Alice", "alice ", "alic", "alic_", "%", "аlice"];
    for name in names {
        world.made(&owner(name), name.trim()).await;
    }
    for name in names {
        assert_eq!(world.titles(&owner(name)).await, [name.trim()], "{name:?}");
    }
}

async fn request_ids_and_change_numbers_are_each_users_own(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let hers = world.tasks.create(&alice, requested("hers", "key")).await.expect("created");
    let his = world.tasks.create(&bob, requested("his", "key")).await.expect("created");
    assert_ne!(hers.id, his.id);
    assert_eq!((hers.revision, his.revision), (1, 1));
    let again = world.tasks.create(&alice, requested("hers", "key")).await.expect("repeated");
    assert_eq!(again, hers);
    let page = world.tasks.list(&bob, &first_page()).await.expect("a page");
    assert_eq!(page.tasks, [his]);
}

async fn even_an_id_that_two_users_share_names_a_task_of_each(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let hers = world.made(&alice, "a").await;
    let his = Task { user_id: "bob".into(), ..hers.clone() };
    let twin = owned_insert(&bob, whole(&his));
    twin.exec_without_returning(world.database.writer()).await.expect("inserted");
    let id = hers.id;
    let now = world.tasks.complete(&alice, id).await.expect("completed");
    assert_eq!(now.user_id, "alice");
    assert_eq!(world.tasks.get(&bob, id).await.expect("there"), his);
    world.tasks.delete(&alice, id, None).await.expect("deleted");
    assert!(not_found(&world.tasks.get(&alice, id).await));
    assert_eq!(world.tasks.get(&bob, id).await.expect("there"), his);
    assert_eq!(world.titles(&bob).await, ["a"]);
}
