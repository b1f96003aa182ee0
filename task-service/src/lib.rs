//! The task service: each user's own tasks over gRPC and HTTP.
//!
//! Layers, each of which imports only those below it:
//!
//! - [`Config`], [`Command`]: settings and commands
//! - `api`: `http` (each route calls an rpc, but for the import), `grpc` (the rpcs, and the gate of
//!   `shared` before them), `wire` (messages to the domain and back)
//! - `jobs`: reminder scheduler, retention, search index, broadcast between replicas, epoch;
//!   backoff
//! - `events`: the streams of watchers: one user's changes, and the reminders of all users
//! - `store`: tasks in a database, each method for one owner
//! - `notifications`: pub/sub of changes in this process, and the outbox for other replicas
//! - `entity`, `migration`: the tables
//! - `query`: filter, sort, page, cursor, count, sync, full text; without I/O
//! - `domain`: the task and its rules, without I/O
//! - `error`: the errors of calls, as clients get them

mod api;
mod command;
mod config;
mod domain;
mod entity;
mod error;
mod events;
mod jobs;
mod migration;
mod notifications;
mod query;
mod store;

use std::sync::Arc;

use sea_orm::DbErr;
use server::{
    App, Assembly, BindError,
    audit_log::{self, AuditLog, SecurityEvents},
    cli::doctor::{self, Report},
    db::{Database, DatabaseUrl},
};
use shared::{
    auth::{Gate, ServiceGate, TokenVerifier},
    clock::{Clock, SystemClock},
    error::causes,
};

#[cfg(fuzzing)]
pub use self::api::fuzz;
use self::{
    api::{grpc, http},
    jobs::{broadcast, epoch, reminder_scheduler, retention, search_index},
    migration::Migrator,
    store::{Distribution, EveryUser, SpoolFolder, Tasks},
};
pub use self::{
    command::{Command, Sources},
    config::{ADDRESSES, Config, TASK_DATABASE_URL},
    domain::quota::Quota,
};

/// An error at start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database is unavailable, or refuses the connection.
    #[error("cannot open the database")]
    Database(#[source] DbErr),
    /// A migration failed.
    #[error("cannot bring the tables up to date")]
    Migration(#[source] DbErr),
    /// The database file does not exist.
    #[error("there is no database at {0}")]
    Absent(String),
    /// The rows of an interrupted import could not be removed.
    #[error("cannot take back what an import left")]
    TakeBack(#[source] error::Error),
    /// The epoch of the database could not be read or written.
    #[error("cannot use the epoch of the database")]
    Epoch(#[source] error::Error),
    /// The distribution of the tables could not be read.
    #[error("cannot see whether tables are distributed")]
    Distribution(#[source] error::Error),
    /// The port could not be set up.
    #[error(transparent)]
    Bind(#[from] BindError),
}

/// Adds the service to `assembly`: opens the database, migrates it, adds the guarded rpcs, routes
/// and jobs, and ties readiness to the database and to the token keys.
pub async fn assemble(
    config: &Config,
    clock: Arc<dyn Clock>,
    assembly: &mut Assembly,
) -> Result<(), StartError> {
    let database = Database::connect(&config.database).await.map_err(StartError::Database)?;
    database.migrate::<Migrator>().await.map_err(StartError::Migration)?;
    let trust = config.trust.clone();
    assembly.add_job(trust.refresh());
    if !trust.is_loaded() {
        assembly.ready_after(trust.loaded());
    }
    let verifier = TokenVerifier::trusting(trust, config.policy.clone(), clock.clone());
    let services =
        ServiceGate::new(config.keys.clone(), grpc::AUDIENCE, config.policy.leeway, clock.clone());
    let events = SecurityEvents::new(database.clone());
    let (audit_log, writer) = AuditLog::new(events.clone(), clock.clone());
    assembly.add_job(writer.run());
    assembly.add_job(audit_log::enforce_retention(
        events,
        clock.clone(),
        config.security_event_retention,
    ));
    assembly.on_drained(audit_log.clone().flushed());
    let spools = spool_folder(config);
    spools.log();
    let tasks = Tasks::new(database.clone(), clock).spooling_in(spools).limited_to(config.quota);
    let tasks = tasks.seeing_distribution().await.map_err(StartError::Distribution)?;
    tasks.read_epoch().await.map_err(StartError::Epoch)?;
    tasks.take_back_imports(every_user()).await.map_err(StartError::TakeBack)?;
    let gate = Gate::new(verifier).observed_by(Arc::new(audit_log));
    let rpcs = grpc::Rpcs::new(tasks.clone());
    assembly.add(grpc::guarded(&gate, rpcs.clone()));
    assembly.add(grpc::guarded_bulk(&gate, rpcs.clone()));
    let admin_gate = grpc::AdminGate::new(services, config.admin_clients.clone());
    assembly.add(grpc::guarded_admin(admin_gate, tasks.clone()));
    assembly.add_router(http::router(gate, rpcs));
    for path in [grpc::UPLOAD, http::UPLOAD] {
        assembly.allow_upload(path);
    }
    assembly.add_database(database.clone());
    assembly.add_job(broadcast::run(tasks.pubsub().clone(), database));
    assembly.add_job(epoch::run(tasks.clone()));
    assembly.add_job(reminder_scheduler::run(tasks.clone(), every_user()));
    assembly.add_job(search_index::run(tasks.clone(), every_user()));
    assembly.add_job(retention::run(tasks, every_user(), config.trash_retention));
    Ok(())
}

/// The service alone on its ports, by the system's clock; not yet serving.
pub async fn bind(config: &Config) -> Result<App, StartError> {
    let mut assembly = Assembly::default();
    assemble(config, Arc::new(SystemClock), &mut assembly).await?;
    Ok(assembly.bind(&config.server).await?)
}

/// Adopts a database that was restored from a backup. Cursors and etags from after the backup are
/// refused from then on. Tables of an older version are migrated first.
pub async fn restore(url: &DatabaseUrl) -> Result<(), StartError> {
    if let Some(file) = url.file().filter(|file| !file.exists()) {
        return Err(StartError::Absent(file.display().to_string()));
    }
    let database = Database::connect(url).await.map_err(StartError::Database)?;
    database.migrate::<Migrator>().await.map_err(StartError::Migration)?;
    let tasks = Tasks::new(database.clone(), Arc::new(SystemClock));
    tasks.renew_epoch(every_user()).await.map_err(StartError::Epoch)?;
    database.close().await.map_err(StartError::Database)
}

/// The proof of the jobs of this process, which the two functions above start.
#[expect(clippy::disallowed_methods, reason = "the jobs start here")]
fn every_user() -> EveryUser {
    EveryUser::for_jobs()
}

fn spool_folder(config: &Config) -> SpoolFolder {
    let Config { database, spool_dir, .. } = config;
    SpoolFolder::new(spool_dir.clone(), database.file(), database.min_free())
}

/// Checks the database of tasks for `doctor`, without changing anything.
pub async fn examine(config: &Config, report: &mut Report) {
    spool_folder(config).examine(report);
    let leeway = config.policy.leeway;
    let found = doctor::database::<Migrator>(report, &config.database, &SystemClock, leeway).await;
    let Some(database) = found else { return };
    match Distribution::read(&database).await {
        Ok(distribution) => distribution.examine(report),
        Err(error) => report.fault("citus", format!("cannot be looked at: {}", causes(&error))),
    }
    if let Err(error) = database.close().await {
        tracing::debug!(%error, "cannot close the database");
    }
}

#[cfg(test)]
#[path = "tests/broadcast.rs"]
mod broadcast_tests;
#[cfg(test)]
#[path = "tests/world.rs"]
mod world;
