//! Quotas: the usage of a user is exact after every change, and bounded.

use std::time::Duration;

use fixtures::{FreshDatabase, on_both_databases};
use proto::task::v1 as pb;
use server::db::Database;
use shared::{
    auth::Owner,
    error::{Classified, Refusal},
};

use super::world::{World, every_user, owner, requested, titled, with_key};
use crate::{
    api::wire,
    domain::{
        due::Due,
        quota::{Quota, Usage},
        recurrence::{RepeatFrom, Rule},
        task::{Content, Description, Repeat, Tags, Task, TaskPatch},
        zone::Zone,
    },
    entity::{revision, task},
    error::Error,
    store::{
        Tasks,
        owned::{owned, with_unfinished},
        row::usage_of,
    },
};

on_both_databases!(
    whatever_is_done_the_count_is_what_is_there,
    no_user_exceeds_the_quota_of_tasks,
    no_user_exceeds_the_quota_of_bytes,
    many_at_once_do_not_pass_together,
);

const OFF: i64 = i64::MAX;

/// The stored usage, and the actual one.
async fn usages(world: &World, owner: &Owner) -> [Usage; 2] {
    let row = owned::<revision::Entity>(world.database.backend(), owner)
        .one(world.database.reader())
        .await
        .expect("a row");
    let stored = row.map_or(Usage::default(), |row| Usage { tasks: row.tasks, bytes: row.bytes });
    let rows =
        with_unfinished::<task::Entity>(owner).all(world.database.reader()).await.expect("rows");
    let usage = |row: &task::Model| usage_of(&row.title, &row.description, row.details.as_deref());
    [stored, rows.iter().map(usage).fold(Usage::default(), Usage::and)]
}

async fn import(tasks: &Tasks, owner: &Owner, titles: &[String]) -> Result<u64, Error> {
    let mut import = tasks.import(owner.clone(), None, false)?;
    for (line, title) in (1..).zip(titles) {
        let task = pb::Task { title: title.clone(), ..Default::default() };
        import.take(line, wire::import_task(task)).await?;
    }
    Ok(import.finish().await?.imported)
}

fn is_refused<T>(answer: Result<T, Error>) -> bool {
    answer.is_err_and(|error| error.class() == Refusal::QuotaExceeded.into())
}

fn described(text: &str) -> TaskPatch {
    let description = Description::parse(text.to_owned()).expect("a description");
    TaskPatch { description: Some(description), ..TaskPatch::default() }
}

async fn whatever_is_done_the_count_is_what_is_there(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, tasks) = (owner("alice"), &world.tasks);
    let check = async |what: &str| {
        let [stored, there] = usages(&world, &alice).await;
        assert_eq!(stored, there, "{what}");
        stored
    };
    let one = world.made(&alice, "ein Täschchen").await;
    assert_eq!(check("create").await, Usage { tasks: 1, bytes: 14 });
    let repeats = Content {
        tags: Tags::parse(vec!["Home".into()]).expect("tags"),
        due: Some(Due::parse_date("2026-01-31").map(Due::Date).expect("a date")),
        recurrence: Some(Repeat {
            rule: Rule::parse("FREQ=DAILY;COUNT=3").expect("a rule"),
            from: RepeatFrom::Due,
            zone: Zone::UTC,
        }),
        ..titled("rent")
    };
    let repeats = with_key(repeats, "key");
    let rent = tasks.create(&alice, repeats.clone()).await.expect("created");
    check("create with details").await;
    tasks.create(&alice, repeats).await.expect("repeated");
    check("a repetition").await;
    let batch = (0..70).map(|n| titled(&format!("of many {n}"))).collect();
    let many: Vec<Task> = tasks.create_all(&alice, batch, None).await.expect("created");
    check("batch").await;
    tasks.update(&alice, one.id, described("longer"), None).await.expect("changed");
    check("grown").await;
    tasks.update(&alice, one.id, described(""), None).await.expect("changed");
    check("shrunk").await;
    tasks.complete(&alice, rent.id).await.expect("completed");
    assert_eq!(check("followed by the next").await.tasks, 73);
    let ids: Vec<_> = many.iter().take(60).map(|task| task.id).collect();
    tasks.delete_all(&alice, &ids, None).await.expect("deleted");
    assert_eq!(check("in the trash").await.tasks, 73);
    let (exported, _) = tasks.export(&alice, None).await.expect("a page");
    let mut back = tasks.import(alice.clone(), None, false).expect("begun");
    let new = pb::Task { title: "new".into(), ..Default::default() };
    for (line, task) in (1..).zip(exported.into_iter().map(pb::Task::from).chain([new])) {
        back.take(line, wire::import_task(task)).await.expect("taken");
    }
    assert_eq!(back.finish().await.expect("imported").imported, 1);
    assert_eq!(check("import of what is mostly there").await.tasks, 74);
    world.later(60);
    assert_eq!(tasks.empty_trash(every_user(), Duration::from_secs(1)).await.expect("purged"), 60);
    assert_eq!(check("purged").await.tasks, 14);
}

async fn no_user_exceeds_the_quota_of_tasks(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let tasks = world.tasks.clone().limited_to(Quota { tasks: 3, bytes: OFF });
    let first = tasks.create(&alice, requested("first", "key")).await.expect("created");
    let two = vec![titled("two"), titled("three")];
    let made = tasks.create_all(&alice, two.clone(), None).await.expect("created");
    assert!(is_refused(tasks.create(&alice, titled("four")).await));
    assert!(is_refused(tasks.create(&alice, requested("four", "other")).await));
    assert!(is_refused(tasks.create_all(&alice, two, None).await));
    assert!(is_refused(import(&tasks, &alice, &["four".to_owned()]).await));
    let again = tasks.create(&alice, requested("first", "key")).await.expect("no new one");
    assert_eq!(again, first);
    tasks.create(&bob, titled("his")).await.expect("his own quota");
    tasks.update(&alice, first.id, described("longer"), None).await.expect("no new task");

    tasks.delete(&alice, made[0].id, None).await.expect("deleted");
    assert!(is_refused(tasks.create(&alice, titled("four")).await), "still in the trash");
    world.later(60);
    assert_eq!(tasks.empty_trash(every_user(), Duration::from_secs(1)).await.expect("purged"), 1);
    tasks.create(&alice, titled("four")).await.expect("there is room again");
    let [stored, there] = usages(&world, &alice).await;
    assert_eq!((stored, stored.tasks), (there, 3), "what was refused is not counted");
}

async fn no_user_exceeds_the_quota_of_bytes(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let tasks = world.tasks.clone().limited_to(Quota { tasks: OFF, bytes: 1000 });
    let one = tasks.create(&alice, titled("one")).await.expect("created");
    let long = "a".repeat(990);
    tasks.update(&alice, one.id, described(&long), None).await.expect("993 bytes");
    assert!(is_refused(tasks.create(&alice, titled("too long a title")).await));
    assert!(is_refused(tasks.update(&alice, one.id, described(&"a".repeat(998)), None).await));
    let batch = vec![titled("two"), titled("three")];
    assert!(is_refused(tasks.create_all(&alice, batch, None).await));
    assert!(is_refused(import(&tasks, &alice, &["too long a title".to_owned()]).await));

    let fewer = world.tasks.clone().limited_to(Quota { tasks: OFF, bytes: 10 });
    fewer.complete(&alice, one.id).await.expect("what is there may change");
    fewer.update(&alice, one.id, described("short"), None).await.expect("and shrink");
    let [stored, there] = usages(&world, &alice).await;
    assert_eq!((stored, stored.bytes), (there, 8));
}

async fn many_at_once_do_not_pass_together(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let quota = Quota { tasks: 5, bytes: OFF };
    let database = Database::connect(&fresh.url()).await.expect("a connection");
    let elsewhere = Tasks::new(database, world.clock.clone()).limited_to(quota);
    let here = world.tasks.clone().limited_to(quota);
    let create = |tasks: &Tasks, n: usize| {
        let (tasks, alice) = (tasks.clone(), alice.clone());
        tokio::spawn(async move { tasks.create(&alice, titled(&n.to_string())).await })
    };
    let calls: Vec<_> =
        (0..6).flat_map(|n| [create(&here, n), create(&elsewhere, 10 + n)]).collect();
    let (mut made, mut refused) = (0, 0);
    for call in calls {
        match call.await.expect("no panic") {
            Ok(_) => made += 1,
            answer => refused += usize::from(is_refused(answer)),
        }
    }
    assert_eq!((made, refused), (5, 7));
    let [stored, there] = usages(&world, &alice).await;
    assert_eq!((stored, stored.tasks), (there, 5));
}
