//! What tables that are distributed by user need: no statement locks rows of several users, one that
//! can name its user does, and reads of all users do not rely on a snapshot.

use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, DbBackend, QueryTrait};
use server::db::Database;

use super::world::{World, every_user, first_page, owner, requested, titled};
use crate::{
    domain::task::{Content, Reminder, Reminders, Tags},
    query::{filter::Filter, page::PageRequest},
    store::{
        Distribution, reminder_queries::old_reminder_events, system_queries::expired_requests,
    },
};

on_both_databases!(
    reminder_events_are_read_until_the_last_committed_number,
    a_sweep_skips_what_others_lock_and_goes_on_with_other_users,
    the_answers_are_those_of_tables_that_are_not_distributed,
    the_distribution_is_seen_where_there_is_one,
);

const DAY: i64 = 24 * 60 * 60;

impl World {
    async fn execute(&self, statement: &str) {
        self.database.writer().execute_unprepared(statement).await.expect("executed");
    }
}

/// A read over shards may see an event and miss an earlier one, whose number is not committed.
async fn reminder_events_are_read_until_the_last_committed_number(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let moments = [1, 2].map(|second| Reminder::At(world.tasks.now().plus_seconds(second)));
    let reminders = Reminders::new(moments.to_vec()).expect("two");
    let new = Content { reminders, ..titled("remind me") };
    world.tasks.create(&owner("alice"), new).await.expect("created");
    world.later(2);
    world.tasks.fire_due(every_user()).await.expect("fired");
    let numbers = async |after| {
        let events = world.tasks.reminder_events_after(every_user(), after).await.expect("events");
        events.iter().map(|event| event.sequence).collect::<Vec<_>>()
    };
    assert_eq!(numbers(0).await, [1, 2]);
    let set = |last| format!("UPDATE task_sequence SET value = {last} WHERE name = 'reminder'");
    world.execute(&set(1)).await;
    assert_eq!(numbers(0).await, [1]);
    assert_eq!(numbers(1).await, [0; 0]);
    world.execute(&set(2)).await;
    assert_eq!(numbers(1).await, [2]);
}

#[test]
fn a_sweep_locks_rows_of_one_user() {
    let all = every_user();
    let keys = expired_requests(all.user("ada"), 1, 2).build(DbBackend::Postgres).sql;
    let events = old_reminder_events(all.user("ada"), 1, 2).build(DbBackend::Postgres).sql;
    for sweep in [keys, events] {
        assert_eq!(sweep.matches("\"user_id\" = $").count(), 2, "{sweep}");
        assert!(sweep.contains("FOR UPDATE SKIP LOCKED"), "{sweep}");
    }
}

async fn a_sweep_skips_what_others_lock_and_goes_on_with_other_users(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    for (user, key) in [("alice", "a"), ("alice", "b"), ("bob", "a"), ("bob", "b")] {
        world.tasks.create(&owner(user), requested("old", key)).await.expect("created");
    }
    world.later(DAY);
    if world.database.backend() == DbBackend::Postgres {
        let other = Database::connect(&fresh.url()).await.expect("a connection");
        let held = other.begin().await.expect("begun");
        let lock = "SELECT 1 FROM task_request WHERE user_id = 'alice' AND request_id = 'a' \
                    FOR UPDATE";
        held.execute_unprepared(lock).await.expect("locked");
        let swept = world.tasks.delete_expired_keys(every_user()).await;
        assert_eq!(swept.expect("swept"), 3);
        held.rollback().await.expect("unlocked");
        assert_eq!(world.tasks.delete_expired_keys(every_user()).await.expect("swept"), 1);
    }
    world.tasks.delete_expired_keys(every_user()).await.expect("swept");
    let again = world.tasks.create(&owner("alice"), requested("new", "a")).await;
    assert_eq!(again.expect("created").content.title.as_str(), "new");
}

async fn the_answers_are_those_of_tables_that_are_not_distributed(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, distributed) = (owner("alice"), world.distributed());
    for number in 0..30 {
        let tags = Tags::parse(vec![format!("tag {}", number % 3)]).expect("a tag");
        let new = Content { tags, ..titled(&format!("number {number}")) };
        let store = if number % 2 == 0 { &world } else { &distributed };
        let made = store.tasks.create(&alice, new).await.expect("created");
        assert_eq!(made.revision, number + 1);
        assert_eq!(world.tasks.get(&alice, made.id).await.expect("stored"), made);
    }
    distributed.made(&owner("bob"), "number 7").await;
    let words = |text: &str| Filter { words: vec![text.to_owned()], ..Filter::default() };
    let tags = Filter { tags_any: vec!["tag 1".to_owned()], ..Filter::default() };
    for filter in [Filter::default(), words("7"), words("number"), words("absent"), tags] {
        let request = PageRequest { filter: filter.clone(), with_total: true, ..first_page() };
        let page = world.tasks.list(&alice, &request).await.expect("a page");
        assert_eq!(distributed.tasks.list(&alice, &request).await.expect("a page"), page);
        let counts = world.tasks.count(&alice, &filter).await.expect("counts");
        assert_eq!(distributed.tasks.count(&alice, &filter).await.expect("counts"), counts);
    }
}

async fn the_distribution_is_seen_where_there_is_one(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let read = async || Distribution::read(&world.database).await.expect("read");
    assert_eq!(read().await, Distribution::Local);
    if world.database.backend() != DbBackend::Postgres {
        return;
    }
    let catalog = "CREATE TABLE pg_dist_partition \
                   (logicalrelid regclass, partmethod \"char\", colocationid int)";
    world.execute(catalog).await;
    assert_eq!(read().await, Distribution::Local);
    let add =
        |table, method| format!("INSERT INTO pg_dist_partition VALUES ('{table}', '{method}', 4)");
    world.execute(&add("task_sequence", "n")).await;
    assert_eq!(read().await, Distribution::Local, "a reference table");
    assert!(!world.tasks.clone().seeing_distribution().await.expect("read").is_distributed);
    for table in ["task_revision", "task", "task_request", "task_reminder"] {
        world.execute(&add(table, "h")).await;
        assert_eq!(read().await, Distribution::Partial);
    }
    assert!(world.tasks.clone().seeing_distribution().await.expect("read").is_distributed);
    world.execute(&add("task_import", "h")).await;
    assert_eq!(read().await, Distribution::Colocated);
    world
        .execute(
            "UPDATE pg_dist_partition SET colocationid = 5 WHERE logicalrelid = 'task'::regclass",
        )
        .await;
    assert_eq!(read().await, Distribution::Apart);
}
