//! task-service keeps each user's own tasks.
//!
//! A call passes from the outside in, and a module knows none of the lines above its own:
//!
//! - [`Config`]: what can be set
//! - `http`: the routes, each a client of the guarded rpcs but for the import, which feeds
//!   the store with the owner that the gate gave it: faults need the numbers of lines
//! - `grpc`: the rpcs, four beats each, behind the gate of `shared`
//! - `wire`: messages to domain and back, all faults at once
//! - `watch`, `firings`: what those are told who stay on the line
//! - `fire`, `sweep`, `reindex`, `replicas`, `epoch`, `trouble`: jobs beside the calls, and what
//!   they do when the database is away
//! - `store`: tasks in a database, each method for one owner
//! - `hub`, `notice`: who is woken when something changes, here and elsewhere
//! - `entity`, `migration`: the tables
//! - `error`: what a caller is told when it does not work
//! - `task`, `import`, `due`, `recurrence`, `zone`, `words`, `filter`, `sort`, `page`, `cursor`, `count`, `quota`,
//!   `sync`, `etag`, `request_id`, `fingerprint`, `moment`: the rules, without I/O

mod config;
mod count;
mod cursor;
mod due;
mod entity;
mod epoch;
mod error;
mod etag;
mod filter;
mod fingerprint;
mod fire;
mod firings;
mod grpc;
mod http;
mod hub;
mod import;
mod migration;
mod moment;
mod notice;
mod operator;
mod page;
mod quota;
mod recurrence;
mod reindex;
mod replicas;
mod request_id;
mod sort;
mod store;
mod sweep;
mod sync;
mod task;
mod trouble;
mod watch;
mod wire;
mod words;
mod zone;

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
};

pub use self::{
    config::{ADDRESSES, Config},
    operator::{Command, Sources},
    quota::Quota,
};
use self::{
    migration::Migrator,
    store::{EveryUser, SpoolFolder, Tasks},
};

/// The service could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database is away, or not ours to open.
    #[error("cannot open the database")]
    Database(#[source] DbErr),
    /// The tables could not be brought up to date.
    #[error("cannot bring the tables up to date")]
    Migration(#[source] DbErr),
    /// There is no such database.
    #[error("there is no database at {0}")]
    Absent(String),
    /// What an import left that broke off could not be taken back.
    #[error("cannot take back what an import left")]
    TakeBack(#[source] error::Error),
    /// Whether the database was restored could not be read, or not be noted.
    #[error("cannot use the epoch of the database")]
    Epoch(#[source] error::Error),
    /// The port could not be set up.
    #[error(transparent)]
    Bind(#[from] BindError),
}

/// Puts the service into `assembly`: opens the database, brings its tables up to date,
/// adds the guarded service, and ties readiness to the database and to the token keys.
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
    let (trail, writer) = AuditLog::new(events.clone(), clock.clone());
    assembly.add_job(writer.run());
    assembly.add_job(audit_log::enforce_retention(
        events,
        clock.clone(),
        config.security_event_retention,
    ));
    assembly.on_drained(trail.clone().flushed());
    let spools = spool_folder(config);
    spools.log();
    let tasks = Tasks::new(database.clone(), clock).spooling_in(spools).limited_to(config.quota);
    tasks.read_epoch().await.map_err(StartError::Epoch)?;
    tasks.take_back_imports(every_user()).await.map_err(StartError::TakeBack)?;
    let gate = Gate::new(verifier).observed_by(Arc::new(trail));
    let service = grpc::guarded(&gate, tasks.clone());
    let bulk = grpc::guarded_bulk(&gate, tasks.clone());
    assembly.add(service.clone());
    assembly.add(bulk.clone());
    assembly.add(grpc::guarded_admin(&services, tasks.clone()));
    assembly.add_router(http::door(gate, service, bulk, tasks.clone()));
    for path in [grpc::UPLOAD, http::UPLOAD] {
        assembly.allow_upload(path);
    }
    assembly.add_database(database.clone());
    assembly.add_job(replicas::keep_in_step(tasks.hub().clone(), database));
    assembly.add_job(epoch::keep_current(tasks.clone()));
    assembly.add_job(fire::forever(tasks.clone(), every_user()));
    assembly.add_job(reindex::forever(tasks.clone(), every_user()));
    assembly.add_job(sweep::forever(tasks, every_user(), config.trash_retention));
    Ok(())
}

/// The service alone on its port, by the system's clock. Nothing is served yet.
pub async fn bind(config: &Config) -> Result<App, StartError> {
    let mut assembly = Assembly::default();
    assemble(config, Arc::new(SystemClock), &mut assembly).await?;
    Ok(assembly.bind(&config.server).await?)
}

/// Takes up a database that was restored from a backup. What was given out since then is
/// refused from now on: tokens of lists, of syncs and of reminders, and etags of changes that
/// are gone. Tables of an older version are brought up to date first.
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
#[expect(clippy::disallowed_methods, reason = "here are the jobs")]
fn every_user() -> EveryUser {
    EveryUser::for_jobs()
}

fn spool_folder(config: &Config) -> SpoolFolder {
    let Config { database, spool_dir, .. } = config;
    SpoolFolder::new(spool_dir.clone(), database.file(), database.min_free())
}

/// Looks at the database of tasks for an operator, and changes nothing.
pub async fn examine(config: &Config, report: &mut Report) {
    spool_folder(config).examine(report);
    let leeway = config.policy.leeway;
    let found = doctor::database::<Migrator>(report, &config.database, &SystemClock, leeway).await;
    if let Some(database) = found
        && let Err(error) = database.close().await
    {
        tracing::debug!(%error, "cannot close the database");
    }
}

#[cfg(test)]
#[path = "tests/replicas.rs"]
mod replicas_tests;
#[cfg(test)]
#[path = "tests/world.rs"]
mod world;
