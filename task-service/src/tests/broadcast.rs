//! Two processes on one PostgreSQL wake each other's watchers.

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
    domain::task::sample, jobs::broadcast, migration::Migrator, notifications::pubsub::Hub,
    store::Tasks, world::owner,
};

struct Replica {
    tasks: Tasks,
    database: Database,
}

impl Replica {
    fn hub(&self) -> &Hub {
        self.tasks.hub()
    }
}

/// Two of them at work, until the set is dropped.
async fn two(fresh: &FreshDatabase) -> ([Replica; 2], JoinSet<()>) {
    let mut jobs = JoinSet::new();
    let mut replica = async || {
        let database = Database::connect(&fresh.url()).await.expect("a connection");
        database.migrate::<Migrator>().await.expect("tables");
        let tasks = Tasks::new(database.clone(), Arc::new(SystemClock));
        let mut waits = tasks.hub().watch("nobody");
        jobs.spawn(broadcast::run(tasks.hub().clone(), database.clone()));
        // It wakes everybody when it begins to listen.
        timeout(Duration::from_secs(5), waits.woken()).await.expect("it listens");
        Replica { tasks, database }
    };
    let both = [replica().await, replica().await];
    (both, jobs)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_at_one_wakes_who_watches_at_the_other_and_nobody_else() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    let ([here, there], _jobs) = two(&fresh).await;
    let mut alice = there.hub().watch("alice");
    let mut bob = there.hub().watch("bob");
    let mut own = here.hub().watch("alice");
    for number in 0..20 {
        let start = Instant::now();
        here.tasks.create(&owner("alice"), sample("a")).await.expect("created");
        timeout(Duration::from_secs(1), alice.woken()).await.expect("well under a second");
        assert!(start.elapsed() < Duration::from_secs(1), "{number}");
        timeout(Duration::from_secs(1), own.woken()).await.expect("at once");
    }
    here.tasks.create(&owner("alice"), sample("a")).await.expect("created");
    timeout(Duration::from_secs(1), own.woken()).await.expect("at once");
    let quiet = Duration::from_millis(200);
    assert!(timeout(quiet, bob.woken()).await.is_err(), "nothing of his has changed");
    assert!(timeout(quiet, own.woken()).await.is_err(), "it does not hear itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_firing_at_one_wakes_the_readers_of_the_other() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    let ([here, there], _jobs) = two(&fresh).await;
    let mut firings = there.hub().watch_firings();
    here.hub().fired();
    timeout(Duration::from_secs(1), firings.changed()).await.expect("in time").expect("open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_made_again_and_everybody_looks() {
    let Some(fresh) = FreshDatabase::new(Backend::Postgres).await else { return };
    let ([here, there], _jobs) = two(&fresh).await;
    let mut alice = there.hub().watch("alice");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    here.database.writer().execute_unprepared(cut).await.expect("cut");
    timeout(Duration::from_secs(5), alice.woken()).await.expect("something may be lost");
    here.tasks.create(&owner("alice"), sample("a")).await.expect("created");
    timeout(Duration::from_secs(1), alice.woken()).await.expect("it listens again");
}
