//! Erasure: nothing of the user is left, and nothing of others is missing.

use std::time::Duration;

use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::{ConnectionTrait, DbBackend, PaginatorTrait, Statement};
use server::{
    audit_log::{self, AuditLog, Event, EventKind, PageRequest, SecurityEvents},
    db::Database,
};
use shared::{auth::Owner, error::Refusal};

use super::world::{World, erased_user, every_user, owner, requested, titled, with_key};
use crate::{
    domain::task::{Content, Reminder, Reminders},
    entity::{reminder, request, revision, task},
    error::Error,
    query::sync::{SyncCursor, SyncRequest},
    store::{
        ErasureProgress, Tasks,
        owned::{Owned, owned},
    },
};

on_both_databases!(
    everything_of_a_user_goes_and_nothing_of_others,
    what_was_noted_of_a_user_here_goes_piece_by_piece,
    a_large_account_goes_piece_by_piece_and_a_piece_is_enough_to_start_over,
    what_is_written_afterwards_starts_anew_and_goes_at_the_next_removal,
    removals_beside_each_other_and_beside_writers_do_not_disturb,
    a_removal_goes_on_for_as_long_as_it_may,
);

const ALL: ErasureProgress = ErasureProgress { tasks: 0, done: true };

async fn count<E: Owned<Model: Send + Sync>>(database: &Database, owner: &Owner) -> u64 {
    owned::<E>(database.backend(), owner).count(database.reader()).await.expect("counted")
}

/// The numbers of tasks, reminders, idempotency keys and counters of `owner`.
async fn rows(database: &Database, owner: &Owner) -> [u64; 4] {
    [
        count::<task::Entity>(database, owner).await,
        count::<reminder::Entity>(database, owner).await,
        count::<request::Entity>(database, owner).await,
        count::<revision::Entity>(database, owner).await,
    ]
}

/// The entries of SQLite's full-text index, of all users.
#[expect(clippy::disallowed_methods, reason = "the index has no owner")]
async fn indexed(database: &Database) -> Option<i64> {
    if database.backend() == DbBackend::Postgres {
        return None;
    }
    let query = Statement::from_string(DbBackend::Sqlite, "SELECT count(*) FROM task_words");
    let row = database.reader().query_one_raw(query).await.expect("counted").expect("a row");
    Some(row.try_get_by_index(0).expect("a number"))
}

/// Three tasks, one of them in the trash, and two reminders, of which one has fired.
async fn furnish(world: &World, owner: &Owner, key: &str) {
    let moments = [1, 1_000].map(|s| Reminder::At(world.tasks.now().plus_seconds(s)));
    let reminders = Reminders::new(moments.to_vec()).expect("two");
    let new = with_key(Content { reminders, ..titled("remind me") }, key);
    world.tasks.create(owner, new).await.expect("created");
    world.later(1);
    world.made(owner, "plain").await;
    let gone = world.made(owner, "gone").await;
    world.tasks.delete(owner, gone.id, None).await.expect("deleted");
    world.later(2);
    world.tasks.fire_due(every_user()).await.expect("fired");
}

async fn everything_of_a_user_goes_and_nothing_of_others(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let names = ["alice", "Alice", "alice ", "alic_", "%"];
    let owners = names.map(owner);
    for owner in &owners {
        furnish(&world, owner, "key").await;
        assert_eq!(rows(&world.database, owner).await, [3, 2, 1, 1]);
    }
    let removed = world.tasks.erase_some(&erased_user("alice")).await.expect("removed");
    assert_eq!(removed, ErasureProgress { tasks: 3, done: true });
    assert_eq!(rows(&world.database, &owners[0]).await, [0; 4]);
    for owner in &owners[1..] {
        assert_eq!(rows(&world.database, owner).await, [3, 2, 1, 1]);
        assert_eq!(world.titles(owner).await, ["plain", "remind me"]);
    }
    assert!(indexed(&world.database).await.is_none_or(|left| left == 12));
    // It is idempotent, also for a user without tasks.
    for user in ["alice", "nobody"] {
        assert_eq!(world.tasks.erase_some(&erased_user(user)).await.expect("nothing"), ALL);
    }
}

/// The security events of auth-service in the same database stay, and the rows of other users.
async fn what_was_noted_of_a_user_here_goes_piece_by_piece(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let events = SecurityEvents::new(world.database.clone());
    let trail = AuditLog::new(events.clone(), world.clock.clone()).0;
    let mut records = Vec::new();
    for user in ["alice", "Alice"] {
        let refused = || trail.new_record(Event::of(EventKind::OwnershipRefused, user));
        records.extend(std::iter::repeat_with(refused).take(5));
        records.push(trail.new_record(Event::of(EventKind::AccountDeleted, user)));
    }
    audit_log::insert(world.database.writer(), &records).await.expect("written");
    let kept = async |user: &str| {
        let all = PageRequest::read(100, "", user).expect("a page");
        events.list(user, &all).await.expect("read").events.len()
    };
    let gone = erased_user("alice");
    for left in [4, 2, 1] {
        let piece = world.tasks.erase_by(&gone, 2).await.expect("a piece");
        assert_eq!((kept("alice").await, piece.done), (left, left == 1));
    }
    assert_eq!(kept("Alice").await, 6);
}

async fn sync(tasks: &Tasks, owner: &Owner, after: Option<SyncCursor>) -> Result<usize, Error> {
    let changes = tasks.sync(owner, &SyncRequest { size: 50, after }).await?;
    Ok(changes.tasks.len())
}

async fn a_large_account_goes_piece_by_piece_and_a_piece_is_enough_to_start_over(
    fresh: FreshDatabase,
) {
    let world = World::on(&fresh).await;
    let (alice, gone) = (owner("alice"), erased_user("alice"));
    for n in 0..5 {
        let moment = Reminder::At(world.tasks.now().plus_seconds(60));
        let reminders = Reminders::new(vec![moment]).expect("one");
        let new = with_key(Content { reminders, ..titled("a task") }, &format!("key-{n}"));
        world.tasks.create(&alice, new).await.expect("created");
    }
    let request = SyncRequest { size: 50, after: None };
    let place = world.tasks.sync(&alice, &request).await.expect("all").next;
    let first = world.tasks.erase_by(&gone, 2).await.expect("a piece");
    assert_eq!(first, ErasureProgress { tasks: 2, done: false });
    assert!(matches!(
        sync(&world.tasks, &alice, Some(place)).await,
        Err(Error::Refused(Refusal::SyncTokenTooOld))
    ));
    assert_eq!(sync(&world.tasks, &alice, None).await.expect("the rest"), 3);

    let (mut tasks, mut pieces) = (first.tasks, 1);
    loop {
        let piece = world.tasks.erase_by(&gone, 2).await.expect("a piece");
        (tasks, pieces) = (tasks + piece.tasks, pieces + 1);
        if piece.done {
            break;
        }
        assert!(pieces < 10, "it comes to an end");
    }
    assert_eq!(tasks, 5);
    assert_eq!(rows(&world.database, &alice).await, [0; 4]);
    assert!(matches!(
        sync(&world.tasks, &alice, Some(place)).await,
        Err(Error::Refused(Refusal::SyncTokenTooOld))
    ));
}

async fn what_is_written_afterwards_starts_anew_and_goes_at_the_next_removal(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, gone) = (owner("alice"), erased_user("alice"));
    furnish(&world, &alice, "key").await;
    world.tasks.erase_some(&gone).await.expect("removed");
    // The request id is free again, and so are the numbers.
    let again = world.tasks.create(&alice, requested("late", "key")).await.expect("created");
    assert_eq!(again.revision, 1);
    assert_eq!(world.titles(&alice).await, ["late"]);
    let removed = world.tasks.erase_some(&gone).await.expect("removed");
    assert_eq!(removed, ErasureProgress { tasks: 1, done: true });
    assert_eq!(rows(&world.database, &alice).await, [0; 4]);
}

async fn removals_beside_each_other_and_beside_writers_do_not_disturb(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob, gone) = (owner("alice"), owner("bob"), erased_user("alice"));
    for n in 0..10 {
        furnish(&world, &alice, &format!("key-{n}")).await;
    }
    // A store of its own is what another replica has.
    let elsewhere = Tasks::new(world.database.clone(), world.clock.clone());
    let removal = async |tasks: &Tasks| {
        while !tasks.erase_by(&gone, 3).await.expect("a piece").done {}
    };
    let writing = async |owner: &Owner| {
        for _ in 0..20 {
            world.tasks.create(owner, titled("beside")).await.expect("created");
        }
    };
    tokio::join!(removal(&world.tasks), removal(&elsewhere), writing(&alice), writing(&bob));
    assert_eq!(count::<task::Entity>(&world.database, &bob).await, 20);
    removal(&world.tasks).await;
    assert_eq!(rows(&world.database, &alice).await, [0; 4]);
    assert_eq!(count::<task::Entity>(&world.database, &bob).await, 20);
}

async fn a_removal_goes_on_for_as_long_as_it_may(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, gone) = (owner("alice"), erased_user("alice"));
    for _ in 0..6 {
        let new = (0..100).map(|n| titled(&format!("{n}"))).collect();
        world.tasks.create_all(&alice, new, None).await.expect("created");
    }
    let short = world.tasks.erase(&gone, Duration::ZERO).await.expect("a piece");
    assert_eq!(short, ErasureProgress { tasks: 500, done: false });
    let rest = world.tasks.erase(&gone, Duration::from_mins(1)).await.expect("the rest");
    assert_eq!(rest, ErasureProgress { tasks: 100, done: true });
}
