//! SQLite on a disk that was full for a moment: what is answered after it is stored.

use fixtures::{Backend, FreshDatabase};
use sea_orm::ConnectionTrait;
use server::db::Database;
use shared::{
    auth::Owner,
    error::{Classified, Refusal},
};
use uuid::Uuid;

use super::world::{World, owner, titled};
use crate::{
    domain::task::{Content, Description, TaskPatch, Title},
    error::Error,
};

/// A task that takes a few pages of its own.
fn long(title: &str) -> Content {
    let description = Description::parse("x".repeat(10_000)).expect("a description");
    Content { description, ..titled(title) }
}

/// Ends the disk where the file ends, and creates until a task finds no room.
async fn fill(world: &World, alice: &Owner) {
    let limit = "PRAGMA max_page_count = 1"; // it is never less than the file has
    world.database.writer().execute_unprepared(limit).await.expect("a limit");
    for _ in 0..100 {
        if let Err(error) = world.tasks.create(alice, long("filler")).await {
            assert_eq!(error.class(), Refusal::StorageFull.into(), "{error}");
            return;
        }
    }
    panic!("the disk does not get full");
}

/// Gives the disk room again, where the connection that was limited is still there.
async fn make_room(world: &World) {
    let unlimited = "PRAGMA max_page_count = 1000000";
    world.database.writer().execute_unprepared(unlimited).await.expect("no limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_that_is_answered_after_a_full_disk_is_lost() {
    let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("a file");
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let kept = world.made(&alice, "kept").await;
    for round in 0..3 {
        fill(&world, &alice).await;
        make_room(&world).await;
        // An ordinary refusal, which rolls back.
        let missing = world.tasks.delete(&alice, Uuid::now_v7(), None).await;
        assert!(matches!(missing, Err(Error::Refused(Refusal::TaskNotFound))));

        let title = format!("after {round}");
        let of_alice = world.made(&alice, &title).await;
        let of_bob = world.made(&bob, &title).await;
        let patch = TaskPatch { title: Title::parse(&title).ok(), ..TaskPatch::default() };
        world.tasks.update(&alice, kept.id, patch, None).await.expect("changed");

        let outside = Database::connect_read_only(&fresh.url()).await.expect("another connection");
        let outside = crate::store::Tasks::new(outside, world.clock.clone());
        for (owner, id) in [(&alice, of_alice.id), (&bob, of_bob.id), (&alice, kept.id)] {
            let seen = outside.get(owner, id).await.expect("it is there for others");
            assert_eq!(seen.content.title.as_str(), title);
        }
    }
}
