//! auth-service: accounts and sessions over gRPC and Better Auth's HTTP, and the access
//! tokens that other services verify alone.
//!
//! A call passes from the outside in, and each module knows only those below it:
//!
//! - [`Config`], [`Command`]: what can be set, and the `token` sub-command
//! - `operator`: the sub-commands for a deployment at work
//! - `grpc`: the rpcs, four beats each; `grpc::credential` demands a session token
//! - `http`: Better Auth's routes, a door of their own with cookies and origins
//! - `wire`: messages to domain and back, all faults at once
//! - `attempts`: how often somebody may try, counted before anything costly is done
//! - `account`: signing up and in, changing and deleting an account; `erasure`: what is left
//!   of a deleted one elsewhere; `data_export`: everything that is held about a user
//! - `session`: opening, resuming, extending, rotating and ending sessions; `access`: access
//!   tokens
//! - `email`, `password`, `profile`, `restriction`, `session_token`, `random`: the rules,
//!   without I/O;
//!   `hashing` runs the costly ones, a few at a time
//! - `peer`: task-service, as it is called from here
//! - `json_list`: pieces of a JSON list
//! - `store`: Better Auth's tables and ours, on both databases; `entity`, `migration`: their
//!   shape
//! - `error`: why a call is not answered as asked; `error_code`: the table of what both wires
//!   tell then

mod access;
mod account;
mod attempts;
mod config;
mod data_export;
mod email;
mod entity;
mod erasure;
mod error;
mod error_code;
mod grpc;
mod hashing;
mod http;
mod json_list;
mod migration;
mod operator;
mod password;
mod peer;
mod profile;
mod random;
mod restriction;
mod session;
mod session_token;
mod store;
mod wire;

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
    access::AccessTokens,
    account::Accounts,
    attempts::{Attempts, Counter, DeadTokens},
    data_export::DataExports,
    erasure::Erasures,
    hashing::Hashing,
    peer::TaskService,
    session::Sessions,
    store::{OpenError, Store},
};
pub use self::{
    attempts::AttemptSettings,
    config::{ADDRESSES, AccountSettings, Config},
    http::closed_router,
    operator::{Command, OperatorError, Signing, Sources, examine},
    peer::TaskServiceAddress,
    session::SessionRules,
    session_token::AtRest,
    store::Differences,
};

/// The service could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// This service has no name that others would accept.
    #[error("cannot call task-service")]
    Peer(#[from] InvalidServiceName),
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
    let counter = Counter::new(&config.attempts.store, &store, clock.clone());
    let events = store.security_events();
    let (trail, writer) = AuditLog::new(events.clone(), clock.clone());
    let limits = config.attempts.limits.clone();
    let dead_tokens = DeadTokens::new(limits.sessions_per_address, clock.clone());
    let attempts = Attempts::new(limits, counter);
    let attempts = attempts.with_audit_log(trail.clone());
    assembly.add_job(attempts.clone().sweep());
    let noted = events.record_signing_key(config.keys.signing_id(), &trail).await;
    noted.map_err(OpenError::from)?;
    assembly.add_job(writer.run());
    assembly.add_job(audit_log::enforce_retention(
        events,
        clock.clone(),
        rules.security_event_retention,
    ));
    assembly.on_drained(trail.clone().flushed());
    let sessions =
        Sessions::new(store.clone(), rules.sessions, keys.clone(), dead_tokens, clock.clone());
    let sessions = sessions.with_audit_log(trail);
    assembly.add_job(sessions.clone().sweep());
    assembly.add_job(sessions.clone().write_last_uses());
    let tasks =
        TaskService::new(&config.tasks, &assembly.loopback(), config.keys.clone(), clock.clone())?;
    let erasures = tasks.clone().map(|tasks| {
        // A call that began with a valid token may go on: an upload takes the longest.
        let calls_last = config.server.limits.upload_timeout;
        let tokens_live = rules.access_token_lifetime + config.policy.leeway + calls_last;
        let erasures = Erasures::new(store.clone(), tokens_live, clock);
        assembly.add_job(erasures.clone().follow_restores(tasks.clone()));
        assembly.add_job(erasures.clone().carry_out(tasks));
        erasures
    });
    let exports = DataExports::new(store.clone(), sessions.clone(), access.clone(), tasks);
    let hashing = Hashing::new(rules.hash_concurrency);
    let accounts =
        Accounts::new(store, sessions.clone(), hashing, attempts, erasures, rules.passwords);
    assembly.add(grpc::auth_service(accounts.clone(), access.clone()));
    assembly.add_router(http::door(http::Fittings {
        accounts: accounts.clone(),
        sessions: sessions.clone(),
        access: access.clone(),
        exports: exports.clone(),
        keys: keys.clone(),
        own_origin: config.origin.clone(),
        trusted_origins: config.server.trusted_origins.clone(),
        session_cookie_cache: rules.session_cookie_cache,
    }));
    assembly.add(grpc::session_service(accounts, sessions, access, exports, keys));
    Ok(())
}

/// auth-service as a value: connected, migrated, its port taken, nothing served yet.
pub async fn bind(config: &Config) -> Result<App, StartError> {
    let mut assembly = Assembly::default();
    assemble(config, Arc::new(SystemClock), &mut assembly).await?;
    Ok(assembly.bind(&config.server).await?)
}
