//! task-service keeps each user's own tasks.
//!
//! A call passes from the outside in, and each module knows only those below it:
//!
//! - [`Config`]: what can be set
//! - `http`: the routes, each a client of the guarded rpcs
//! - `grpc`: the rpcs, four beats each, behind the gate of `shared`
//! - `wire`: messages to domain and back, all faults at once
//! - `task`, `due`, `recurrence`, `page`, `etag`, `request_id`, `fingerprint`, `moment`,
//!   `zone`: the rules, without I/O
//! - `store`: tasks in a database, each method for one owner
//! - `entity`, `migration`: the tables
//! - `error`: what a caller is told when it does not work

mod config;
#[cfg_attr(not(test), expect(dead_code, reason = "wired by the store"))]
mod due;
mod entity;
mod error;
mod etag;
mod fingerprint;
mod grpc;
mod http;
mod migration;
mod moment;
mod page;
#[cfg_attr(not(test), expect(dead_code, reason = "wired by the store"))]
mod recurrence;
mod request_id;
mod store;
mod task;
mod wire;
mod zone;

use std::{sync::Arc, time::Duration};

use sea_orm::DbErr;
use shared::{
    auth::{Gate, TokenVerifier},
    clock::{Clock, SystemClock},
    db::Database,
    serve::{App, Assembly, BindError},
};
use tokio::time::MissedTickBehavior;

pub use self::config::{ADDRESSES, Config};
use self::{migration::Migrator, store::Tasks};

/// How often request ids that have expired are looked for.
const SWEEP_PERIOD: Duration = Duration::from_mins(10);

/// The service could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database is away, or not ours to open.
    #[error("cannot open the database")]
    Database(#[source] DbErr),
    /// The tables could not be brought up to date.
    #[error("cannot bring the tables up to date")]
    Migration(#[source] DbErr),
    /// The port could not be set up.
    #[error(transparent)]
    Bind(#[from] BindError),
}

/// Puts the service into `assembly`: opens the database, brings its tables up to date,
/// adds the guarded service, and ties readiness to the database.
pub async fn assemble(
    config: &Config,
    clock: Arc<dyn Clock>,
    assembly: &mut Assembly,
) -> Result<(), StartError> {
    let database = Database::connect(&config.database).await.map_err(StartError::Database)?;
    database.migrate::<Migrator>().await.map_err(StartError::Migration)?;
    let verifier = TokenVerifier::new(config.keys.clone(), config.policy.clone(), clock.clone());
    let tasks = Tasks::new(database.clone(), clock);
    let gate = Gate::new(verifier);
    let service = grpc::guarded(&gate, tasks.clone());
    assembly.add(service.clone());
    assembly.mount(http::door(gate, service));
    assembly.depend_on(database);
    assembly.add_job(sweep(tasks));
    Ok(())
}

/// The service alone on its port, by the system's clock. Nothing is served yet.
pub async fn bind(config: &Config) -> Result<App, StartError> {
    let mut assembly = Assembly::default();
    assemble(config, Arc::new(SystemClock), &mut assembly).await?;
    Ok(assembly.bind(&config.server).await?)
}

/// Forgets expired request ids now and again. They are harmless: a failure waits for the
/// next round.
async fn sweep(tasks: Tasks) {
    let mut rounds = tokio::time::interval(SWEEP_PERIOD);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        match tasks.forget_expired_requests().await {
            Ok(forgotten) => tracing::debug!(forgotten, "request ids swept"),
            Err(error) => tracing::warn!(?error, "cannot sweep request ids"),
        }
    }
}

#[cfg(test)]
#[path = "tests/world.rs"]
mod world;
