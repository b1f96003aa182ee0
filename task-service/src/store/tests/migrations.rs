//! Migrations run once, over all starts and replicas.

use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, DbBackend};
use server::db::Database;
use uuid::Uuid;

use super::world::{World, every_user, first_page, owner};
use crate::{
    domain::task::{Position, TaskPatch},
    migration::Migrator,
    query::{filter::Filter, page::PageRequest, sync::SyncRequest},
    store::MoveTarget,
};

on_both_databases!(
    a_second_start_keeps_what_is_there,
    three_processes_may_start_at_once,
    tasks_of_the_first_version_have_all_that_new_ones_have,
);

async fn a_second_start_keeps_what_is_there(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    world.made(&alice, "a").await;
    world.database.migrate::<Migrator>().await.expect("nothing to do");
    assert_eq!(world.titles(&alice).await, ["a"]);
}

async fn three_processes_may_start_at_once(fresh: FreshDatabase) {
    let start = async || {
        let database = Database::connect(&fresh.url()).await.expect("a connection");
        database.migrate::<Migrator>().await.expect("tables");
        database.close().await.expect("closed");
    };
    tokio::join!(start(), start(), start());
}

async fn tasks_of_the_first_version_have_all_that_new_ones_have(fresh: FreshDatabase) {
    let database = Database::connect(&fresh.url()).await.expect("a connection");
    database.migrate_until::<Migrator>(Some(1)).await.expect("the first tables");
    for (user, count) in [("alice", 3), ("bob", 2)] {
        for number in 0..count {
            let id = Uuid::from_u128(0x018b_cfe5_687b_7aaa_8bbb_0000_0000_0000 + number);
            let id = match database.backend() {
                DbBackend::Postgres => format!("'{id}'"),
                _ => format!("X'{}'", id.simple()),
            };
            let row = format!(
                "INSERT INTO task (user_id, id, title, description, completed, completed_at, \
                 priority, created_at, updated_at, revision) VALUES ('{user}', {id}, \
                 'Tâche {number}', 'of {user}', FALSE, NULL, 2, {number}, {number}, {})",
                number + 1,
            );
            database.writer().execute_unprepared(&row).await.expect("a task of old");
        }
        let counter = format!("INSERT INTO task_revision VALUES ('{user}', {count})");
        database.writer().execute_unprepared(&counter).await.expect("a counter of old");
    }
    database.close().await.expect("closed");

    let world = World::on(&fresh).await;
    world.tasks.index_outdated(every_user()).await.expect("indexed");
    let alice = owner("alice");
    assert_eq!(world.titles(&alice).await, ["Tâche 2", "Tâche 1", "Tâche 0"]);
    let text = |text: &str| PageRequest {
        filter: Filter { words: vec![text.to_owned()], ..Filter::default() },
        ..first_page()
    };
    let found = world.tasks.list(&alice, &text("tache")).await.expect("a page");
    assert_eq!(found.tasks.len(), 3);
    let none = world.tasks.list(&alice, &text("bob")).await.expect("a page");
    assert_eq!(none.tasks, [], "his words are not hers");
    // They stand as they were made, before what is new, and can be changed as any other.
    let first = found.tasks[2].id;
    let new = world.made(&alice, "new").await;
    let end = world.tasks.move_task(&alice, first, MoveTarget::End, None).await.expect("moved");
    assert!(end.position > new.position && new.position > found.tasks[0].position);
    assert!(found.tasks.iter().all(|task| Position::parse(task.position.to_string()).is_ok()));
    world.tasks.update(&alice, first, TaskPatch::completed(true), None).await.expect("done");
    world.tasks.delete(&alice, first, None).await.expect("deleted");
    let all = SyncRequest { size: 50, after: None };
    assert_eq!(world.tasks.sync(&alice, &all).await.expect("all").tasks.len(), 3);
    assert_eq!(world.titles(&owner("bob")).await, ["Tâche 1", "Tâche 0"]);
}
