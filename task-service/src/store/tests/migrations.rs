//! Tables come up to date once, whoever starts how often.

use shared::db::Database;

use super::{
    fresh::Fresh,
    world::{World, on_both, owner},
};
use crate::migration::Migrator;

#[tokio::test]
async fn a_second_start_keeps_what_is_there() {
    on_both(async |world: World| {
        let alice = owner("alice");
        world.made(&alice, "a").await;
        world.database.migrate::<Migrator>().await.expect("nothing to do");
        assert_eq!(world.titles(&alice).await, ["a"]);
    })
    .await;
}

#[tokio::test]
async fn three_processes_may_start_at_once() {
    for fresh in [Some(Fresh::sqlite()), Fresh::postgres().await].into_iter().flatten() {
        let start = async || {
            let database = Database::connect(&fresh.url).await.expect("a connection");
            database.migrate::<Migrator>().await.expect("tables");
            database.close().await.expect("closed");
        };
        tokio::join!(start(), start(), start());
        fresh.remove().await;
    }
}
