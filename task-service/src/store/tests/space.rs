//! The full disk: nothing more is stored, and everything else works.

use std::time::Duration;

use fixtures::{Backend, FreshDatabase};
use sea_orm::ConnectionTrait;
use server::{db::Database, storage::MinFree};
use shared::error::{Classified, Refusal};

use super::world::{World, every_user, first_page, owner, requested, titled};
use crate::{
    domain::task::TaskPatch,
    error::Error,
    store::{MoveTarget, Tasks},
};

fn is_refused<T>(answer: Result<T, Error>) -> bool {
    answer.is_err_and(|error| error.class() == Refusal::StorageFull.into())
}

#[tokio::test]
async fn below_the_floor_nothing_is_stored_and_reads_and_deletions_go_on() {
    let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("a file");
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let one = world.made(&alice, "one").await.id;
    world.later(1);
    let made = [one, world.made(&alice, "two").await.id];
    let gone = world.made(&alice, "gone").await.id;
    world.tasks.delete(&alice, gone, None).await.expect("deleted");
    let url = fresh.url().keeping_free(MinFree::Bytes(u64::MAX));
    let database = Database::connect(&url).await.expect("a connection");
    let full = Tasks::new(database, world.clock.clone());

    assert!(is_refused(full.create(&alice, titled("three")).await));
    assert!(is_refused(full.create(&alice, requested("three", "key")).await));
    assert!(is_refused(full.create_all(&alice, vec![titled("three")], None).await));
    assert!(is_refused(full.update(&alice, made[0], TaskPatch::completed(true), None).await));
    assert!(is_refused(full.complete_all(&alice, &made, None).await));
    assert!(is_refused(full.move_task(&alice, made[0], MoveTarget::End, None).await));
    assert!(is_refused(full.undelete(&alice, gone, None).await));
    assert!(is_refused(full.import(alice.clone(), None, false).map(drop)));
    assert_eq!(world.titles(&alice).await, ["two", "one"]);

    assert_eq!(full.list(&alice, &first_page()).await.expect("a page").tasks.len(), 2);
    full.delete(&alice, made[0], None).await.expect("deleted");
    full.delete_all(&alice, &made[1..], None).await.expect("deleted");
    world.later(60);
    assert_eq!(full.empty_trash(every_user(), Duration::from_secs(1)).await.expect("purged"), 3);
}

#[tokio::test]
async fn a_full_file_is_an_error_and_keeps_its_rows() {
    let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("a file");
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    world.made(&alice, "first").await;
    let pragma = async |pages| {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        world.database.writer().execute_unprepared(&pragma).await.expect("set");
    };
    pragma(1).await; // as many as there are
    let large = || crate::domain::task::Content { description: large_text(), ..titled("large") };
    let refused = loop {
        if let Err(error) = world.tasks.create(&alice, large()).await {
            break error;
        }
    };
    assert!(is_refused(Err::<(), _>(refused)));
    pragma(1_000_000).await;
    assert!(world.titles(&alice).await.contains(&"first".to_owned()));
}

fn large_text() -> crate::domain::task::Description {
    crate::domain::task::Description::parse("a".repeat(4000)).expect("a description")
}
