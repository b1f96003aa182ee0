//! The HTTP door: Better Auth's wire, for its client in browsers and on servers.
//!
//! A request passes from the outside in:
//!
//! - `site`: which web sites may make a browser act here
//! - `head`, `body`, `members`, `forms`: what is asked, every issue at once
//! - `desk`: what the routes work with; `credential`: who asks, by bearer token or cookie
//! - `entrance`, `sessions`, `user`, `data`, `token`, `security_events`: the routes, and nothing
//!   of the domain
//! - `objects`, `cookies`, `session_data`: what they answer; `refusal`: why they do not
//! - `documented`, `openapi`: the routes as OpenAPI, from the rows that make the router

mod body;
mod cookies;
mod credential;
mod data;
mod desk;
mod documented;
mod entrance;
mod forms;
mod head;
mod members;
mod objects;
mod openapi;
mod refusal;
mod security_events;
mod session_data;
mod sessions;
mod site;
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
    http::{HttpRouter, Route},
    routes,
};
use shared::{auth::Keyring, origin::Origin};
use utoipa::openapi::OpenApi;

use self::{
    cookies::Cookies,
    desk::Desk,
    refusal::{nothing_here, refusal},
    site::Site,
};
use crate::{
    access::AccessTokens, account::Accounts, data_export::DataExports, password::PasswordRules,
    session::Sessions,
};

/// What the door is made of.
pub struct Fittings {
    pub accounts: Accounts,
    pub sessions: Sessions,
    pub access: Arc<AccessTokens>,
    pub exports: DataExports,
    pub keys: Arc<Keyring>,
    /// Where browsers find this server. Over TLS its cookies are kept to TLS.
    pub own_origin: Option<Origin>,
    /// The web sites beside it that may act for their visitors.
    pub trusted_origins: Vec<Origin>,
    /// How long a browser may go by its signed copy of the session, if it gets one.
    pub session_cookie_cache: Option<Duration>,
}

/// Everything under `/api/auth`, for a server that puts a `ClientInfo` into each request's
/// extensions.
pub fn door(fittings: Fittings) -> HttpRouter {
    let is_secure = fittings.own_origin.as_ref().is_some_and(Origin::is_secure);
    let session_seconds = fittings.sessions.lifetime().num_seconds();
    let cookies = Cookies::new(fittings.keys.clone(), is_secure, session_seconds);
    let cookie = cookies.session_token_name();
    let rules = fittings.accounts.password_rules();
    let api = Box::new(move || api(&cookie, rules));
    let site = Arc::new(Site::new(fittings.own_origin, fittings.trusted_origins));
    let desk = Desk {
        accounts: fittings.accounts,
        sessions: fittings.sessions,
        access: fittings.access,
        exports: fittings.exports,
        keys: fittings.keys,
        site: site.clone(),
        cookies,
        copies_live: fittings.session_cookie_cache,
    };
    let sign_in = Route::router(&sign_in_routes(), nothing_else)
        .route_layer(from_fn_with_state(site.clone(), site::guard_entrance));
    let routes = Route::router(&other_routes(), nothing_else)
        .merge(sign_in)
        .route_layer(from_fn_with_state(site, site::guard))
        .route("/api/auth", any(nothing_here))
        .route("/api/auth/", any(nothing_here))
        .route("/api/auth/{*rest}", any(nothing_here))
        .with_state(Arc::new(desk));
    HttpRouter { prefix: PREFIX, routes, refusal, api }
}

/// Every path of the door begins with it.
const PREFIX: &str = "/api/auth/";

/// The door before its service is there: how a refusal is worded behind it.
pub fn closed_router() -> HttpRouter {
    let api = Box::new(|| api("", PasswordRules::default()));
    HttpRouter { prefix: PREFIX, routes: Router::new(), refusal, api }
}

/// Sign-up and sign-in, behind a stricter check of the origin.
fn sign_in_routes() -> Vec<Route<Arc<Desk>>> {
    routes![entrance::sign_up, entrance::sign_in]
}

/// All other routes.
fn other_routes() -> Vec<Route<Arc<Desk>>> {
    routes![
        token::ok,
        entrance::sign_out,
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
        data::export_user_data,
        token::token,
        token::jwks,
    ]
}

/// The OpenAPI document of both.
fn api(cookie: &str, rules: PasswordRules) -> OpenApi {
    let routes: Vec<_> = sign_in_routes().into_iter().chain(other_routes()).collect();
    openapi::document(&routes, cookie, rules)
}

/// What methods get that a path does not know. HEAD is one: axum would answer it like GET,
/// which upstream does not.
fn nothing_else() -> MethodRouter<Arc<Desk>> {
    any(nothing_here).head(nothing_here)
}
