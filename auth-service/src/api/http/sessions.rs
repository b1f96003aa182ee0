//! Routes of the caller's sessions.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, PRAGMA};
use proto::members::{Member, Members, Slot};
use shared::error::Refusal;
use utoipa::IntoParams;

use super::{
    api_error::{ApiError, ErrorBody},
    body::JsonOrForm,
    credential::Credential,
    head::Plain,
    openapi::{BodyErrors, CommonErrors, OriginErrors, SessionErrors},
    requests,
    responses::{Done, ListedSession, OkJson, Session, SessionAndUser, SessionRefreshed},
    state::{AppState, RequestContext, SessionGrant},
};
use crate::{
    error::Error,
    error_code,
    session::{Listed, Refreshed},
    session_token::stored_forms,
    store::Which,
};

/// Responses about a session are not cached: it may end at any time.
const NO_STORE: [(HeaderName, HeaderValue); 2] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (PRAGMA, HeaderValue::from_static("no-cache")),
];

/// The query of get-session. Upstream takes any text, and only `true` counts.
#[derive(Default, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct GetSession {
    /// Leaves the session's end where it is.
    #[param(value_type = Option<bool>, required = false)]
    disable_refresh: Vec<String>,
    /// Has no effect: the session is read from the database in any case.
    #[param(value_type = Option<bool>, required = false)]
    disable_cookie_cache: Vec<String>,
}

impl Members for GetSession {
    fn members(&self) -> &'static [Member] {
        const {
            &[
                Member::new("disableRefresh", "disableRefresh").list(),
                Member::new("disableCookieCache", "disableCookieCache").list(),
            ]
        }
    }

    fn slot(&mut self, index: usize) -> Option<Slot<'_>> {
        let texts = [&mut self.disable_refresh, &mut self.disable_cookie_cache];
        texts.into_iter().nth(index).map(|texts| Slot::Text(texts))
    }
}

impl GetSession {
    fn disables_refresh(&self) -> bool {
        self.disable_refresh.iter().any(|said| said == "true")
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
        CommonErrors,
    ),
)]
pub async fn get_session(
    State(state): State<Arc<AppState>>,
    request: RequestContext<GetSession>,
) -> Result<Response, ApiError> {
    let is_outdated = request.is_outdated;
    let token = match request.credential {
        Credential::Token(token) => token,
        Credential::Invalid => return no_session(state.expired_cookies()?),
        Credential::None => return no_session(HeaderMap::new()),
    };
    let leave = request.query.disables_refresh();
    let resumed = if leave {
        state.sessions.resume_as_it_is(&token, &request.client).await
    } else {
        state.sessions.resume(&token, &request.client).await
    };
    let signed_in = match resumed {
        Ok(signed_in) => signed_in,
        // Better Auth ends the sessions of banned users.
        Err(Error::Refused(Refusal::InvalidSession) | Error::Restricted(_)) => {
            return no_session(state.expired_cookies()?);
        }
        Err(error) => return Err(error.into()),
    };
    let (session, user) = (signed_in.session(), signed_in.user());
    let stay = state.sessions.stay(session);
    let grant = SessionGrant { token: &token, session, user, stay };
    let is_superseded = signed_in.is_superseded();
    let mut headers = HeaderMap::new();
    if signed_in.was_extended() || (!leave && (is_outdated || is_superseded)) {
        headers = state.renewed_session_headers(grant).await?;
    } else if !is_superseded {
        state.add_session_data(&mut headers, grant)?;
    }
    state.add_jwt(&mut headers, grant)?;
    Ok((NO_STORE, headers, OkJson(grant.object())).into_response())
}

#[expect(clippy::unnecessary_wraps, reason = "it is what its callers return")]
fn no_session(headers: HeaderMap) -> Result<Response, ApiError> {
    Ok((NO_STORE, headers, OkJson(None::<SessionAndUser>)).into_response())
}

/// Refuses POST: a session is read by GET.
#[utoipa::path(
    post, path = "/api/auth/get-session", operation_id = "postGetSession", tag = "auth",
    responses((status = 405, description = "Use GET", body = ErrorBody), OriginErrors, CommonErrors),
)]
pub async fn post_get_session(_: Plain) -> impl IntoResponse {
    (NO_STORE, ApiError::of(&error_code::METHOD_NOT_ALLOWED))
}

/// The live sessions of the caller's user, the oldest first, a hundred at most.
///
/// For callers who signed in within a day.
#[utoipa::path(
    get, path = "/api/auth/list-sessions", operation_id = "listSessions", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "The sessions", body = Vec<ListedSession>),
        (status = 403, description = "The session is older than a day", body = ErrorBody),
        SessionErrors, CommonErrors,
    ),
)]
pub async fn list_sessions(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
) -> Result<impl IntoResponse, ApiError> {
    let caller = state.caller(request).await?;
    let sessions = state.sessions.list(&caller.signed_in).await?;
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
    Ok((caller.headers, OkJson(objects)))
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
        BodyErrors, OriginErrors, SessionErrors, CommonErrors,
    ),
)]
pub async fn refresh_session(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
    JsonOrForm(requests::Nothing): JsonOrForm<requests::Nothing>,
) -> Result<impl IntoResponse, ApiError> {
    let client = request.client.clone();
    let token = state.token(request)?;
    let refreshed = state.sessions.refresh(&token, &client).await;
    let Refreshed { signed_in, token } = state.expire_if_invalid(refreshed)?;
    let (session, user) = (signed_in.session(), signed_in.user());
    let stay = state.sessions.stay(session);
    let grant = SessionGrant { token: &token, session, user, stay };
    let headers = state.session_and_jwt_headers(grant)?;
    let SessionAndUser { session, user } = grant.object();
    let token = token.reveal().to_owned();
    Ok((headers, OkJson(SessionRefreshed { token, session, user })))
}

/// Ends one session of the caller's user.
///
/// A token that names none of them is answered alike.
#[utoipa::path(
    post, path = "/api/auth/revoke-session", operation_id = "revokeSession", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    request_body = requests::RevokeSession,
    responses(
        (status = 200, description = "No such session lives any more", body = Done),
        BodyErrors, OriginErrors, SessionErrors, CommonErrors,
    ),
)]
pub async fn revoke_session(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
    JsonOrForm(body): JsonOrForm<requests::RevokeSession>,
) -> Result<impl IntoResponse, ApiError> {
    let mut caller = state.caller(request).await?;
    // PostgreSQL has no text with NUL: it would respond with an error, not with "none".
    if !body.token.contains('\0') {
        let forms = stored_forms(&body.token);
        let ended = state.sessions.end(&caller.signed_in, Which::StoredAs(&forms)).await?;
        // The handle may be from before a rotation.
        if ended.only.as_ref() == Some(&caller.signed_in.session().id) {
            caller.headers = state.expired_cookies()?;
        }
    }
    Ok((caller.headers, OkJson(Done::DONE)))
}

/// Ends every session of the caller's user, this one too.
#[utoipa::path(
    post, path = "/api/auth/revoke-sessions", operation_id = "revokeSessions", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "No session lives any more", body = Done),
        BodyErrors, OriginErrors, SessionErrors, CommonErrors,
    ),
)]
pub async fn revoke_sessions(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
    JsonOrForm(requests::Nothing): JsonOrForm<requests::Nothing>,
) -> Result<impl IntoResponse, ApiError> {
    let caller = state.caller(request).await?;
    state.sessions.end(&caller.signed_in, Which::All).await?;
    Ok((state.expired_cookies()?, OkJson(Done::DONE)))
}

/// Ends every session of the caller's user but this one.
#[utoipa::path(
    post, path = "/api/auth/revoke-other-sessions", operation_id = "revokeOtherSessions", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "No other session lives any more", body = Done),
        BodyErrors, OriginErrors, SessionErrors, CommonErrors,
    ),
)]
pub async fn revoke_other_sessions(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
    JsonOrForm(requests::Nothing): JsonOrForm<requests::Nothing>,
) -> Result<impl IntoResponse, ApiError> {
    let caller = state.caller(request).await?;
    let own = &caller.signed_in.session().id;
    state.sessions.end(&caller.signed_in, Which::Others(own)).await?;
    Ok((caller.headers, OkJson(Done::DONE)))
}
