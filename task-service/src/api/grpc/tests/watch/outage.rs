//! Watches while a table is away, as its database would be.

use sea_orm::ConnectionTrait;

use super::*;

async fn rename(world: &World, table: &str, name: &str) {
    let rename = format!("ALTER TABLE {table} RENAME TO {name}");
    world.database.writer().execute_unprepared(&rename).await.expect("renamed");
}

#[tokio::test]
async fn a_watch_outlasts_an_outage_and_goes_on_from_its_place() {
    let world = World::start().await;
    let mut client = world.watchers(BEAT);
    world.made("alice", "before").await;
    let mut reply = world.open(&mut client, "alice", "").await.expect("a stream");
    let (first, token) = word(&mut reply).await;
    assert_eq!(first, "before");
    rename(&world, "task_revision", "away").await;
    for _ in 0..10 {
        assert_eq!(word(&mut reply).await, ("nothing".to_owned(), token.clone()));
    }
    let refused = world.open(&mut client, "alice", &token).await.expect_err("a new one");
    assert_eq!(refused.code(), Code::Unavailable);
    rename(&world, "away", "task_revision").await;
    world.made("alice", "after").await;
    let mut last = word(&mut reply).await.0;
    while last == "nothing" {
        last = word(&mut reply).await.0;
    }
    assert_eq!(last, "after");
}
