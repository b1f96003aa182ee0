//! The HTTP API: Better Auth's wire, for its client in browsers and on servers.
//!
//! A request passes from the outside in:
//!
//! - `csrf`: the web sites that may make a browser act here
//! - `head`, `body`, `members`, `requests`: the request, all faults at once
//! - `state`: shared by the routes; `credential`: the bearer token or cookie of a request
//! - `sign_in`, `sessions`, `user`, `export`, `token`, `security_events`: the routes, without
//!   domain logic
//! - `responses`, `cookies`, `session_data`: successful responses; `api_error`: all others
//! - `hsts`: the header that keeps browsers to TLS
//! - `openapi`: the routes as OpenAPI, from the rows that make the router

mod api_error;
mod body;
mod cookies;
mod credential;
mod csrf;
mod export;
mod head;
mod hsts;
mod members;
mod openapi;
mod requests;
mod responses;
mod security_events;
mod session_data;
mod sessions;
mod sign_in;
mod state;
#[cfg(test)]
mod tests;
mod token;
mod user;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{MethodRouter, any},
};
use server::{
    http::{GuardedRoutes, HttpRouter, Route},
    routes,
};
use shared::{auth::Keyring, origin::Origin, trusted_origin::TrustedOrigin};
use utoipa::openapi::OpenApi;

use self::{
    api_error::{not_found, refusal},
    cookies::Cookies,
    csrf::OriginCheck,
    state::AppState,
};
use crate::{
    access_token::AccessTokens, account::Accounts, export::DataExports, password::PasswordRules,
    session::Sessions,
};

/// The parts that the routes are made of.
pub struct Dependencies {
    pub accounts: Accounts,
    pub sessions: Sessions,
    pub access: Arc<AccessTokens>,
    pub exports: DataExports,
    pub keys: Arc<Keyring>,
    /// The origin of this server in browsers. With TLS, cookies are `Secure`.
    pub own_origin: Option<Origin>,
    /// Other origins that may act for their visitors.
    pub trusted_origins: Vec<TrustedOrigin>,
    /// The lifetime of the session cookie cache; `None`: off.
    pub session_cookie_cache: Option<Duration>,
    /// How long browsers keep to TLS; `None`: they are not told to.
    pub hsts_max_age: Option<Duration>,
}

/// The router of everything under `/api/auth`, for a server that puts a `ClientInfo` into each
/// request's extensions.
pub fn router(parts: Dependencies) -> HttpRouter {
    let is_secure = parts.own_origin.as_ref().is_some_and(Origin::is_secure);
    let session_seconds = parts.sessions.lifetime().num_seconds();
    let cookies = Cookies::new(parts.keys.clone(), is_secure, session_seconds);
    let cookie = cookies.session_token_name();
    let rules = parts.accounts.password_rules();
    let api = Box::new(move || api(&cookie, rules));
    let own = parts.own_origin.clone();
    let origin_check = Arc::new(OriginCheck::new(parts.own_origin, parts.trusted_origins));
    let state = AppState {
        accounts: parts.accounts,
        sessions: parts.sessions,
        access: parts.access,
        exports: parts.exports,
        keys: parts.keys,
        origin_check: origin_check.clone(),
        cookies,
        session_cookie_cache: parts.session_cookie_cache,
    };
    let sign_in = Route::router(&sign_in_routes(), other_methods)
        .route_layer(from_fn_with_state(origin_check.clone(), csrf::guard_sign_in));
    let routes = Route::router(&other_routes(), other_methods)
        .merge(sign_in)
        .route_layer(from_fn_with_state(origin_check, csrf::guard))
        .route("/api/auth", any(not_found))
        .route("/api/auth/", any(not_found))
        .route("/api/auth/{*rest}", any(not_found))
        .with_state(Arc::new(state));
    let routes = hsts::layer(routes, own.as_ref(), parts.hsts_max_age);
    HttpRouter { prefix: PREFIX, routes, guarded: GuardedRoutes::default(), refusal, api }
}

/// The prefix of every path of this router.
const PREFIX: &str = "/api/auth/";

/// The router before the service has started: it only gives errors their form.
pub fn closed_router() -> HttpRouter {
    let api = Box::new(|| api("", PasswordRules::default()));
    let guarded = GuardedRoutes::default();
    HttpRouter { prefix: PREFIX, routes: Router::new(), guarded, refusal, api }
}

/// Sign-up and sign-in, behind a stricter csrf check.
fn sign_in_routes() -> Vec<Route<Arc<AppState>>> {
    routes![sign_in::sign_up, sign_in::sign_in]
}

/// All other routes.
fn other_routes() -> Vec<Route<Arc<AppState>>> {
    routes![
        token::ok,
        sign_in::sign_out,
        sessions::get_session,
        sessions::post_get_session,
        sessions::list_sessions,
        sessions::refresh_session,
        sessions::revoke_session,
        sessions::revoke_sessions,
        sessions::revoke_other_sessions,
        user::update_user,
        user::change_password,
        user::verify_password,
        user::delete_user,
        user::list_accounts,
        security_events::list_security_events,
        export::export_user_data,
        token::token,
        token::jwks,
    ]
}

/// The OpenAPI document of all routes.
fn api(cookie: &str, rules: PasswordRules) -> OpenApi {
    let routes: Vec<_> = sign_in_routes().into_iter().chain(other_routes()).collect();
    openapi::document(&routes, cookie, rules)
}

/// The response to methods that a path does not have. HEAD is one: axum would answer it like
/// GET, which upstream does not.
fn other_methods() -> MethodRouter<Arc<AppState>> {
    any(not_found).head(not_found)
}
