//! auth-service: accounts and sessions over gRPC and Better Auth's HTTP, and the access
//! tokens that other services verify alone.
//!
//! A call passes from the outside in, and each module knows only those below it:
//!
//! - [`Config`], [`Command`]: the settings, and the sub-commands
//! - `admin`: the sub-commands of an operator
//! - `api`: the rpcs (`grpc`, `wire`) and Better Auth's routes (`http`, with cookies and csrf)
//! - `account`: signing up and in, changing and deleting an account; `erasure`: the outbox that
//!   removes a deleted user's tasks; `export`: the data export of a user
//! - `session`: opening, resuming, extending, rotating and ending sessions; `access_token`:
//!   access tokens
//! - `rate_limit`: attempts by account and address, counted before costly work
//! - `password`: the rules for passwords; `password::hashing`: bounded hashing in a fair queue
//! - `email`, `profile`, `restriction`, `session_token`, `random`: rules without I/O
//! - `remotes`: the connections to Redis and task-service; `task_client`: calls to task-service
//! - `json_list`: elements of a JSON list
//! - `store`: Better Auth's tables and this service's own, on both databases; `entity`,
//!   `migration`: their schema
//! - `error`: why a call failed; `error_code`: the table of errors on both wires

mod access_token;
mod account;
mod admin;
mod api;
mod config;
mod email;
mod entity;
mod erasure;
mod error;
mod error_code;
mod export;
mod json_list;
mod migration;
mod password;
mod profile;
mod random;
mod rate_limit;
mod remotes;
mod restriction;
mod session;
mod session_token;
mod store;
mod task_client;

use std::sync::Arc;

use server::{
    App, Assembly, BindError,
    audit_log::{self, AuditLog},
};
use shared::{
    auth::{InvalidServiceName, TokenIssuer},
    clock::{Clock, SystemClock},
};

use self::{
    access_token::AccessTokens,
    account::Accounts,
    erasure::Erasures,
    export::DataExports,
    password::hashing::Hashing,
    rate_limit::{Counter, InvalidTokens, RateLimiter},
    remotes::RemoteFault,
    session::Sessions,
    store::{OpenError, Store},
    task_client::TaskClient,
};
pub use self::{
    admin::{AdminError, Command, Signing, Sources, examine},
    api::http::closed_router,
    config::{ADDRESSES, AUTH_DATABASE_URL, AccountSettings, Config, DATABASE_URL},
    rate_limit::RateLimitSettings,
    session::SessionRules,
    session_token::AtRest,
    store::Differences,
    task_client::TaskServiceAddress,
};

/// The service could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The name of this service does not fit a service token.
    #[error("cannot call task-service")]
    TaskClient(#[from] InvalidServiceName),
    /// Redis or task-service cannot be used.
    #[error(transparent)]
    Remote(#[from] RemoteFault),
    /// The port cannot be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
}

/// Connects, migrates, and adds both services of accounts to `assembly`.
pub async fn assemble(
    config: &Config,
    clock: Arc<dyn Clock>,
    assembly: &mut Assembly,
) -> Result<(), StartError> {
    let store = Store::open(&config.database).await?;
    remotes::check(config).await?;
    assembly.add_database(store.database().clone());
    let rules = config.accounts;
    let issuer = TokenIssuer::new(
        config.keys.clone(),
        config.policy.clone(),
        rules.access_token_lifetime,
        clock.clone(),
    );
    let access = Arc::new(AccessTokens(issuer));
    let keys = config.keys.clone();
    let audit_log = add_audit_log(config, &store, &clock, assembly).await?;
    let limits = config.rate_limit.limits.clone();
    let invalid_tokens = InvalidTokens::new(limits.sessions_per_address, clock.clone());
    let counter = Counter::new(&config.rate_limit.store, &store, clock.clone());
    let rate_limiter = RateLimiter::new(limits, counter).with_audit_log(audit_log.clone());
    assembly.add_job(rate_limiter.clone().remove_expired());
    let sessions =
        Sessions::new(store.clone(), rules.sessions, keys.clone(), invalid_tokens, clock.clone())
            .with_audit_log(audit_log);
    assembly.add_job(sessions.clone().clean_up());
    assembly.add_job(sessions.clone().write_last_uses());
    let tasks =
        TaskClient::new(&config.tasks, &assembly.loopback(), config.keys.clone(), clock.clone())?;
    let erasures = tasks.clone().map(|tasks| add_erasures(config, &store, tasks, clock, assembly));
    let exports = DataExports::new(store.clone(), sessions.clone(), access.clone(), tasks);
    let hashing = Hashing::new(rules.hash_concurrency);
    let accounts =
        Accounts::new(store, sessions.clone(), hashing, rate_limiter, erasures, rules.passwords);
    assembly.add(api::grpc::auth_service(accounts.clone(), access.clone()));
    assembly.add_router(api::http::router(api::http::Dependencies {
        accounts: accounts.clone(),
        sessions: sessions.clone(),
        access: access.clone(),
        exports: exports.clone(),
        keys: keys.clone(),
        own_origin: config.origin.clone(),
        trusted_origins: config.server.trusted_origins.clone(),
        session_cookie_cache: rules.session_cookie_cache,
        hsts_max_age: rules.hsts_max_age,
    }));
    assembly.add(api::grpc::session_service(accounts, sessions, access, exports, keys));
    Ok(())
}

/// The audit log with its jobs; records the signing secret if it is used for the first time.
async fn add_audit_log(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    assembly: &mut Assembly,
) -> Result<AuditLog, StartError> {
    let events = store.security_events();
    let (audit_log, writer) = AuditLog::new(events.clone(), clock.clone());
    let recorded = events.record_signing_key(config.keys.signing_id(), &audit_log).await;
    recorded.map_err(OpenError::from)?;
    assembly.add_job(writer.run());
    let retention = config.accounts.security_event_retention;
    assembly.add_job(audit_log::enforce_retention(events, clock.clone(), retention));
    assembly.on_drained(audit_log.clone().flushed());
    Ok(audit_log)
}

/// The erasures of deleted users at task-service, with their jobs.
fn add_erasures(
    config: &Config,
    store: &Store,
    tasks: TaskClient,
    clock: Arc<dyn Clock>,
    assembly: &mut Assembly,
) -> Erasures {
    // A call outlives the token that it began with: an upload takes the longest.
    let longest_call = config.server.limits.upload_timeout;
    let token_lifetime =
        config.accounts.access_token_lifetime + config.policy.leeway + longest_call;
    let erasures = Erasures::new(store.clone(), token_lifetime, clock);
    assembly.add_job(erasures.clone().watch_restores(tasks.clone()));
    assembly.add_job(erasures.clone().run(tasks));
    erasures
}

/// Connects, migrates and binds the port; serves nothing yet.
pub async fn bind(config: &Config) -> Result<App, StartError> {
    let mut assembly = Assembly::default();
    assemble(config, Arc::new(SystemClock), &mut assembly).await?;
    Ok(assembly.bind(&config.server).await?)
}
