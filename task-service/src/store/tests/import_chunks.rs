//! Imports into SQLite in chunks: other writers get in between, and no reader sees half of an
//! import.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use fixtures::{Backend, FreshDatabase};
use proto::task::v1 as pb;
use sea_orm::ActiveValue::Set;
use shared::{auth::Owner, error::Refusal};

use super::world::{World, every_user, first_page, not_found, owner, titled};
use crate::{
    api::wire,
    domain::{import::Report, quota::Quota, task::Task, timestamp::Timestamp},
    entity::{import, task},
    error::Error,
    query::{
        filter::{Filter, search_words},
        page::PageRequest,
        sync::SyncRequest,
    },
    store::{
        Tasks,
        owned::{owned_insert, with_unfinished},
        row::whole,
        system_queries::unfinished_imports,
    },
};

async fn import(tasks: Tasks, owner: Owner, count: u64) -> Result<Report, Error> {
    let mut import = tasks.import(owner, None, false)?;
    for n in 0..count {
        let task = pb::Task { title: format!("imported {n}"), ..Default::default() };
        import.take(n + 1, wire::import_task(task)).await?;
    }
    import.finish().await
}

async fn is_clean(world: &World, owner: &Owner) -> bool {
    let reader = world.database.reader();
    let marks = unfinished_imports(every_user()).all(reader).await.expect("rows");
    let rows: Vec<task::Model> =
        with_unfinished::<task::Entity>(owner).all(reader).await.expect("rows");
    marks.is_empty() && rows.iter().all(|row| !row.title.starts_with("imported"))
}

#[tokio::test(flavor = "multi_thread")]
async fn other_writers_get_in_between_and_the_owner_sees_all_or_nothing() {
    let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("a file");
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    world.made(&alice, "before").await;
    let is_over = Arc::new(AtomicBool::new(false));
    let importing = tokio::spawn({
        let (tasks, alice, is_over) = (world.tasks.clone(), alice.clone(), is_over.clone());
        async move {
            let report = import(tasks, alice, 3000).await;
            is_over.store(true, Ordering::Relaxed);
            report
        }
    });
    let mut in_between = 0;
    while !is_over.load(Ordering::Relaxed) {
        let page = world.tasks.list(&alice, &first_page()).await.expect("a page");
        assert!([1, 200].contains(&page.tasks.len()), "{}", page.tasks.len());
        let began = !unfinished_imports(every_user())
            .all(world.database.reader())
            .await
            .expect("rows")
            .is_empty();
        world.tasks.create(&bob, titled("beside")).await.expect("his turn");
        in_between += usize::from(began && !is_over.load(Ordering::Relaxed));
    }
    let report = importing.await.expect("no panic").expect("imported");
    assert_eq!((report.imported, report.skipped), (3000, 0));
    assert!(in_between >= 3, "{in_between} in between");
    assert_eq!(world.made(&alice, "after").await.revision, 3);
    assert!(
        unfinished_imports(every_user())
            .all(world.database.reader())
            .await
            .expect("rows")
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_in_the_middle_leaves_nothing() {
    let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("a file");
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let quota = Quota { tasks: 1500, ..Quota::default() };
    let tasks = world.tasks.clone().limited_to(quota);
    let refused = import(tasks.clone(), alice.clone(), 2000).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::QuotaExceeded))), "{refused:?}");
    // Her next change waits until all of it is taken back.
    assert_eq!(world.made(&alice, "next").await.revision, 1);
    assert!(is_clean(&world, &alice).await);
    assert_eq!(import(tasks, alice, 1000).await.expect("imported").imported, 1000);
}

/// As a process leaves it that is killed between two pieces.
#[tokio::test(flavor = "multi_thread")]
async fn what_broke_off_is_never_seen_and_is_taken_back() {
    let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("a file");
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let before = world.made(&alice, "before").await;
    let on = world.database.writer();
    let mark = import::ActiveModel { revision: Set(2), ..Default::default() };
    owned_insert(&alice, mark).exec_without_returning(on).await.expect("a mark");
    let mut ids = Vec::new();
    for n in 0..450 {
        let new = titled(&format!("imported {n}"));
        let task = Task::new("alice", new, Timestamp::from_micros(n), 2, 0);
        owned_insert(&alice, whole(&task)).exec_without_returning(on).await.expect("a row");
        ids.push(task.id);
    }
    let tasks = &world.tasks;
    assert_eq!(world.titles(&alice).await, ["before"]);
    assert!(not_found(&tasks.get(&alice, ids[0]).await));
    assert!(not_found(&tasks.delete(&alice, ids[0], None).await));
    let words = search_words("imported").expect("a text");
    let filter = Filter { words, ..Filter::default() };
    let found = PageRequest { filter: filter.clone(), with_total: true, ..first_page() };
    let page = tasks.list(&alice, &found).await.expect("a page");
    assert_eq!((page.tasks.len(), page.total), (0, Some(0)));
    assert_eq!(tasks.count(&alice, &filter).await.expect("counted").open, 0);
    assert_eq!(tasks.export(&alice, None).await.expect("a page").0, std::slice::from_ref(&before));
    let request = SyncRequest { size: 200, after: None };
    assert_eq!(tasks.sync(&alice, &request).await.expect("all").tasks, [before]);
    assert!(!is_clean(&world, &alice).await);

    tasks.take_back_imports(every_user()).await.expect("taken back");
    assert!(is_clean(&world, &alice).await);
    world.later(1);
    assert_eq!(world.made(&alice, "next").await.revision, 2);
    assert_eq!(world.titles(&alice).await, ["next", "before"]);
}
