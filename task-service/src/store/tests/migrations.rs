//! Tables come up to date once, whoever starts how often.

use fixtures::{FreshDatabase, on_both_databases};
use shared::db::Database;

use super::world::{World, owner};
use crate::migration::Migrator;

on_both_databases!(a_second_start_keeps_what_is_there, three_processes_may_start_at_once,);

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
