//! The caller's session and the others of the same user.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, PRAGMA};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    body::Asked,
    credential::Credential,
    desk::{Call, Desk, Holding},
    documented::{AnyTime, ForBodies, ForSites, ForUsers},
    forms,
    head::Plain,
    objects::{Answer, Done, ListedSession, Session, SessionAndUser, SessionRefreshed},
    refusal::{Refusal, Refused},
};
use crate::{
    error::Error,
    error_code,
    session::{Listed, Refreshed},
    session_token::stored_forms,
    store::Which,
};

/// Who is asked about may change at any moment: nobody keeps the answer.
const FRESH: [(HeaderName, HeaderValue); 2] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (PRAGMA, HeaderValue::from_static("no-cache")),
];

/// How to look at a session. Upstream takes any text, and `true` alone is one that says so.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetSession {
    /// Leaves the session's end where it is.
    #[param(value_type = Option<bool>)]
    disable_refresh: Option<Vec<String>>,
    /// Always so here.
    #[param(value_type = Option<bool>)]
    #[expect(dead_code, reason = "it is so whatever it says")]
    disable_cookie_cache: Option<Vec<String>>,
}

impl GetSession {
    fn leaves_it(&self) -> bool {
        self.disable_refresh.iter().flatten().any(|said| said == "true")
    }
}

/// The caller's session and user, or `null`.
///
/// Always asks the database. A session that was not extended for a day is extended, and
/// its cookie and `set-auth-token` are sent again; so are those that a secret signed which
/// is being rotated out, and a token that was replaced is followed by the one that is
/// current. A dead session's cookies are expired, and so are those of a banned user.
#[utoipa::path(
    get, path = "/api/auth/get-session", operation_id = "getSession", tag = "auth",
    security((), ("sessionToken" = []), ("sessionCookie" = [])),
    params(GetSession),
    responses(
        (status = 200, description = "The session, or `null`", body = Option<SessionAndUser>, headers(
            ("set-cookie" = String, description = "The session again, or its end"),
            ("set-auth-token" = String, description = "The session token, signed, if it was extended"),
            ("set-auth-jwt" = String, description = "An access token"),
        )),
        AnyTime,
    ),
)]
pub async fn get_session(
    State(desk): State<Arc<Desk>>,
    call: Call<GetSession>,
) -> Result<Response, Refused> {
    let is_outdated = call.is_outdated;
    let token = match call.credential {
        Credential::Token(token) => token,
        Credential::Dead => return nobody(desk.forget()?),
        Credential::None => return nobody(HeaderMap::new()),
    };
    let leave = call.query.leaves_it();
    let resumed = if leave {
        desk.sessions.resume_as_it_is(&token, &call.client).await
    } else {
        desk.sessions.resume(&token, &call.client).await
    };
    let signed_in = match resumed {
        Ok(signed_in) => signed_in,
        // Better Auth ends the sessions of whoever it bans.
        Err(Error::InvalidSession | Error::Restricted(_)) => return nobody(desk.forget()?),
        Err(error) => return Err(error.into()),
    };
    let (session, user) = (signed_in.session(), signed_in.user());
    let stay = desk.sessions.stay(session);
    let holding = Holding { token: &token, session, user, stay };
    let is_superseded = signed_in.is_superseded();
    let mut headers = HeaderMap::new();
    if signed_in.was_extended() || (!leave && (is_outdated || is_superseded)) {
        headers = desk.hand_over_again(holding).await?;
    } else if !is_superseded {
        desk.add_copy(&mut headers, holding)?;
    }
    desk.add_jwt(&mut headers, holding)?;
    Ok((FRESH, headers, Answer(holding.object())).into_response())
}

#[expect(clippy::unnecessary_wraps, reason = "it is what its callers return")]
fn nobody(headers: HeaderMap) -> Result<Response, Refused> {
    Ok((FRESH, headers, Answer(None::<SessionAndUser>)).into_response())
}

/// Not how a session is asked for.
#[utoipa::path(
    post, path = "/api/auth/get-session", operation_id = "postGetSession", tag = "auth",
    responses((status = 405, description = "Use GET", body = Refusal), ForSites, AnyTime),
)]
pub async fn post_get_session(_: Plain) -> impl IntoResponse {
    (FRESH, Refused::of(&error_code::METHOD_NOT_ALLOWED))
}

/// The live sessions of the caller's user, the oldest first, a hundred at most.
///
/// For callers who signed in within a day.
#[utoipa::path(
    get, path = "/api/auth/list-sessions", operation_id = "listSessions", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "The sessions", body = Vec<ListedSession>),
        (status = 403, description = "The session is older than a day", body = Refusal),
        ForUsers, AnyTime,
    ),
)]
pub async fn list_sessions(
    State(desk): State<Arc<Desk>>,
    call: Call,
) -> Result<impl IntoResponse, Refused> {
    let caller = desk.caller(call).await?;
    let sessions = desk.sessions.list(&caller.signed_in).await?;
    let current = &caller.signed_in.session().id;
    let object = |Listed { session, last_used_at }: &Listed| {
        let object = if session.id == *current {
            Session::own(session, &caller.token)
        } else {
            Session::other(session)
        };
        ListedSession::new(object, *last_used_at)
    };
    let objects: Vec<ListedSession> = sessions.iter().rev().map(object).collect();
    Ok((caller.headers, Answer(objects)))
}

/// Replaces the caller's session token. Beyond Better Auth's routes.
///
/// The session stays. The token of this call is still good for ten seconds (or what the
/// operator has set), in which it gets the same answer again; used later, it ends the
/// session. A token that replaced another one less than five minutes ago is answered as it
/// is, and stays.
#[utoipa::path(
    post, path = "/api/auth/refresh-session", operation_id = "refreshSession", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "The session with its new token", body = SessionRefreshed, headers(
            ("set-cookie" = String, description = "The session, for browsers"),
            ("set-auth-token" = String, description = "The new session token, signed"),
            ("set-auth-jwt" = String, description = "An access token"),
        )),
        ForBodies, ForSites, ForUsers, AnyTime,
    ),
)]
pub async fn refresh_session(
    State(desk): State<Arc<Desk>>,
    call: Call,
    Asked(forms::Nothing): Asked<forms::Nothing>,
) -> Result<impl IntoResponse, Refused> {
    let client = call.client.clone();
    let token = desk.token(call)?;
    let refreshed = desk.sessions.refresh(&token, &client).await;
    let Refreshed { signed_in, token } = desk.given(refreshed)?;
    let (session, user) = (signed_in.session(), signed_in.user());
    let stay = desk.sessions.stay(session);
    let holding = Holding { token: &token, session, user, stay };
    let headers = desk.receive(holding)?;
    let SessionAndUser { session, user } = holding.object();
    let token = token.reveal().to_owned();
    Ok((headers, Answer(SessionRefreshed { token, session, user })))
}

/// Ends one session of the caller's user.
///
/// A token that names none of them is answered alike.
#[utoipa::path(
    post, path = "/api/auth/revoke-session", operation_id = "revokeSession", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    request_body = forms::RevokeSession,
    responses(
        (status = 200, description = "No such session lives any more", body = Done),
        ForBodies, ForSites, ForUsers, AnyTime,
    ),
)]
pub async fn revoke_session(
    State(desk): State<Arc<Desk>>,
    call: Call,
    Asked(asked): Asked<forms::RevokeSession>,
) -> Result<impl IntoResponse, Refused> {
    let mut caller = desk.caller(call).await?;
    // PostgreSQL has no text with NUL: it would answer with an error, not with "none".
    if !asked.token.contains('\0') {
        let forms = stored_forms(&asked.token);
        let ended = desk.sessions.end(&caller.signed_in, Which::StoredAs(&forms)).await?;
        // By whatever handle: it may be one from before a rotation.
        if ended.only.as_ref() == Some(&caller.signed_in.session().id) {
            caller.headers = desk.forget()?;
        }
    }
    Ok((caller.headers, Answer(Done::DONE)))
}

/// Ends every session of the caller's user, this one too.
#[utoipa::path(
    post, path = "/api/auth/revoke-sessions", operation_id = "revokeSessions", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "No session lives any more", body = Done),
        ForBodies, ForSites, ForUsers, AnyTime,
    ),
)]
pub async fn revoke_sessions(
    State(desk): State<Arc<Desk>>,
    call: Call,
    Asked(forms::Nothing): Asked<forms::Nothing>,
) -> Result<impl IntoResponse, Refused> {
    let caller = desk.caller(call).await?;
    desk.sessions.end(&caller.signed_in, Which::All).await?;
    Ok((desk.forget()?, Answer(Done::DONE)))
}

/// Ends every session of the caller's user but this one.
#[utoipa::path(
    post, path = "/api/auth/revoke-other-sessions", operation_id = "revokeOtherSessions", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "No other session lives any more", body = Done),
        ForBodies, ForSites, ForUsers, AnyTime,
    ),
)]
pub async fn revoke_other_sessions(
    State(desk): State<Arc<Desk>>,
    call: Call,
    Asked(forms::Nothing): Asked<forms::Nothing>,
) -> Result<impl IntoResponse, Refused> {
    let caller = desk.caller(call).await?;
    let own = &caller.signed_in.session().id;
    desk.sessions.end(&caller.signed_in, Which::Others(own)).await?;
    Ok((caller.headers, Answer(Done::DONE)))
}
