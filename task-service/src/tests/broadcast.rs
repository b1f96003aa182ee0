//! Replicas on one PostgreSQL notify each other's subscribers.

use std::{sync::Arc, time::Duration};

use fixtures::{Backend, FreshDatabase};
use sea_orm::ConnectionTrait;
use server::db::Database;
use shared::clock::SystemClock;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{
    domain::task::sample, jobs::broadcast, migration::Migrator, notifications::pubsub::PubSub,
    store::Tasks, world::owner,
};

struct Replica {
    tasks: Tasks,
    database: Database,
}

impl Replica {
    fn pubsub(&self) -> &PubSub {
        self.tasks.pubsub()
    }
}

/// Two of them at work, until the set is dropped.
async fn two(fresh: &FreshDatabase) -> ([Replica; 2], JoinSet<()>) {
    let mut jobs = JoinSet::new();
    let mut replica = async || {
        let database = Database::connect(&fresh.url()).await.expect("a connection");
        database.migrate::<Migrator>().await.expect("tables");
        let tasks = Tasks::new(database.clone(), Arc::new(SystemClock));
        let mut waits = tasks.pubsub().subscribe("nobody");
        jobs.spawn(broadcast::run(tasks.pubsub().clone(), database.clone()));
        // The listener notifies all subscribers when it begins.
        timeout(Duration::from_secs(5), waits.notified()).await.expect("it listens");
        Replica { tasks, database }
    };
    let both = [replica().await, replica().await];
    (both, jobs)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_on_one_replica_notifies_subscribers_on_the_other() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    let ([here, there], _jobs) = two(&fresh).await;
    let mut alice = there.pubsub().subscribe("alice");
    let mut bob = there.pubsub().subscribe("bob");
    let mut own = here.pubsub().subscribe("alice");
    for number in 0..20 {
        let start = Instant::now();
        here.tasks.create(&owner("alice"), sample("a")).await.expect("created");
        timeout(Duration::from_secs(1), alice.notified()).await.expect("well under a second");
        assert!(start.elapsed() < Duration::from_secs(1), "{number}");
        timeout(Duration::from_secs(1), own.notified()).await.expect("at once");
    }
    here.tasks.create(&owner("alice"), sample("a")).await.expect("created");
    timeout(Duration::from_secs(1), own.notified()).await.expect("at once");
    let quiet = Duration::from_millis(200);
    assert!(timeout(quiet, bob.notified()).await.is_err(), "nothing of his has changed");
    assert!(timeout(quiet, own.notified()).await.is_err(), "it does not hear itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_on_one_replica_notifies_the_other() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    let ([here, there], _jobs) = two(&fresh).await;
    let mut firings = there.pubsub().subscribe_reminders();
    here.pubsub().publish_reminder();
    timeout(Duration::from_secs(1), firings.changed()).await.expect("in time").expect("open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_restored_and_all_subscribers_are_notified() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    let ([here, there], _jobs) = two(&fresh).await;
    let mut alice = there.pubsub().subscribe("alice");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    here.database.writer().execute_unprepared(cut).await.expect("cut");
    timeout(Duration::from_secs(5), alice.notified()).await.expect("something may be lost");
    here.tasks.create(&owner("alice"), sample("a")).await.expect("created");
    timeout(Duration::from_secs(1), alice.notified()).await.expect("it listens again");
}
