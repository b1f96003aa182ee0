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
//! - `documented`: the routes as OpenAPI

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
    handler::Handler,
    middleware::from_fn_with_state,
    routing::{MethodRouter, any},
};
use shared::{auth::Keyring, http::Door, origin::Origin};

use self::{
    cookies::Cookies,
    desk::Desk,
    refusal::{nothing_here, refusal},
    site::Site,
};
use crate::{access::AccessTokens, account::Accounts, data_export::DataExports, session::Sessions};

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
pub fn door(fittings: Fittings) -> Door {
    let is_secure = fittings.own_origin.as_ref().is_some_and(Origin::is_secure);
    let session_seconds = fittings.sessions.lifetime().num_seconds();
    let cookies = Cookies::new(fittings.keys.clone(), is_secure, session_seconds);
    let cookie = cookies.session_token_name();
    let api = Box::new(move || documented::api(&cookie));
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
    let entrance = Router::new()
        .route("/api/auth/sign-up/email", post(entrance::sign_up))
        .route("/api/auth/sign-in/email", post(entrance::sign_in))
        .route_layer(from_fn_with_state(site.clone(), site::guard_entrance));
    let routes = Router::new()
        .route("/api/auth/ok", get(token::ok))
        .route("/api/auth/sign-out", post(entrance::sign_out))
        .route("/api/auth/get-session", get(sessions::get_session).post(sessions::post_get_session))
        .route("/api/auth/list-sessions", get(sessions::list_sessions))
        .route("/api/auth/refresh-session", post(sessions::refresh_session))
        .route("/api/auth/revoke-session", post(sessions::revoke_session))
        .route("/api/auth/revoke-sessions", post(sessions::revoke_sessions))
        .route("/api/auth/revoke-other-sessions", post(sessions::revoke_other_sessions))
        .route("/api/auth/update-user", post(user::update_user))
        .route("/api/auth/change-password", post(user::change_password))
        .route("/api/auth/verify-password", post(user::verify_password))
        .route("/api/auth/delete-user", post(user::delete_user))
        .route("/api/auth/list-accounts", get(user::list_accounts))
        .route("/api/auth/list-security-events", get(security_events::list_security_events))
        .route("/api/auth/export-user-data", get(data::export_user_data))
        .route("/api/auth/token", get(token::token))
        .route("/api/auth/jwks", get(token::jwks))
        .merge(entrance)
        .route_layer(from_fn_with_state(site, site::guard))
        .route("/api/auth", any(nothing_here))
        .route("/api/auth/", any(nothing_here))
        .route("/api/auth/{*rest}", any(nothing_here))
        .with_state(Arc::new(desk));
    Door { prefix: PREFIX, routes, refusal, api }
}

/// Every path of the door begins with it.
const PREFIX: &str = "/api/auth/";

/// The door before its service is there: how a refusal is worded behind it.
pub fn closed_door() -> Door {
    let api = Box::new(|| documented::api(""));
    Door { prefix: PREFIX, routes: Router::new(), refusal, api }
}

/// GET alone: axum would answer HEAD with it too, which upstream does not know.
fn get<H: Handler<T, Arc<Desk>>, T: 'static>(handler: H) -> MethodRouter<Arc<Desk>> {
    any(nothing_here).get(handler).head(nothing_here)
}

/// POST alone.
fn post<H: Handler<T, Arc<Desk>>, T: 'static>(handler: H) -> MethodRouter<Arc<Desk>> {
    any(nothing_here).post(handler)
}
