//! auth-service: accounts and sessions over gRPC and Better Auth's HTTP, and the access
//! tokens that other services verify alone.
//!
//! A call passes from the outside in, and each module knows only those below it:
//!
//! - [`Config`], [`Mint`]: what can be set, and the `token` sub-command
//! - `operator`: the sub-commands for a deployment at work
//! - `grpc`: the rpcs, four beats each; `grpc::credential` demands a session token
//! - `http`: Better Auth's routes, a door of their own with cookies and origins
//! - `wire`: messages to domain and back, all faults at once
//! - `account`: signing up and in, changing and deleting an account
//! - `session`: opening, resuming, extending and ending sessions; `access`: access tokens
//! - `email`, `password`, `profile`, `session_token`, `random`: the rules, without I/O;
//!   `hashing` runs the costly ones, a few at a time
//! - `store`: Better Auth's tables on both databases; `entity`, `migration`: their shape
//! - `error`: what a caller is told when it does not work

mod access;
mod account;
mod config;
mod email;
mod entity;
mod error;
mod grpc;
mod hashing;
mod http;
mod migration;
mod mint;
mod operator;
mod password;
mod profile;
mod random;
mod session;
mod session_token;
mod store;
mod wire;

use std::sync::Arc;

use sea_orm::DbErr;
use shared::{
    auth::TokenIssuer,
    clock::{Clock, SystemClock},
    serve::{App, Assembly, BindError},
};

use self::{
    access::AccessTokens, account::Accounts, hashing::Hashing, session::Sessions, store::Store,
};
pub use self::{
    config::{ADDRESSES, AccountSettings, Config},
    mint::Mint,
    operator::{OperatorError, SessionsCommand, examine},
    session_token::AtRest,
};

/// The service could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be reached, its tables not brought up to date, or they are not
    /// in Better Auth's built-in layout.
    #[error("cannot open the database of accounts")]
    Database(#[from] DbErr),
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
    assembly.depend_on(store.database().clone());
    let rules = config.accounts;
    let issuer = TokenIssuer::new(
        config.keys.clone(),
        config.policy.clone(),
        rules.access_token_lifetime,
        clock.clone(),
    );
    let access = Arc::new(AccessTokens(issuer));
    let at_rest = rules.session_tokens_at_rest;
    let sessions = Sessions::new(store.clone(), rules.session_lifetime, at_rest, clock);
    assembly.add_job(sessions.clone().sweep());
    let accounts = Accounts::new(store, sessions.clone(), Hashing::default());
    let min_length = rules.password_min_length;
    assembly.add(grpc::auth_service(accounts.clone(), access.clone(), min_length));
    let keys = config.keys.clone();
    assembly.mount(http::door(http::Fittings {
        accounts: accounts.clone(),
        sessions: sessions.clone(),
        access: access.clone(),
        keys: keys.clone(),
        password_min_length: min_length,
        own_origin: config.origin.clone(),
        trusted_origins: config.server.trusted_origins.clone(),
        session_cookie_cache: rules.session_cookie_cache,
    }));
    assembly.add(grpc::session_service(accounts, sessions, access, keys, min_length));
    Ok(())
}

/// auth-service as a value: connected, migrated, its port taken, nothing served yet.
pub async fn bind(config: &Config) -> Result<App, StartError> {
    let mut assembly = Assembly::default();
    assemble(config, Arc::new(SystemClock), &mut assembly).await?;
    Ok(assembly.bind(&config.server).await?)
}
