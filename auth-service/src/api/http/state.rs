//! The state that routes share, and the headers that give a session to a client.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRequestParts;
use chrono::TimeDelta;
use http::{
    header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE},
    request::Parts,
};
use proto::members::Members;
use server::{ClientInfo, http::NoParameters};
use shared::{
    auth::Keyring,
    error::{Refusal, status},
};

use super::{
    api_error::ApiError,
    cookies::Cookies,
    credential::Credential,
    csrf::OriginCheck,
    head::read_head,
    responses::{Session, SessionAndUser},
    session_data,
};
use crate::{
    access_token::AccessTokens,
    account::Accounts,
    entity::{session, user},
    error::Error,
    export::DataExports,
    session::{Opened, Sessions, SignedIn, Stay},
    session_token::SessionToken,
};

const SET_AUTH_TOKEN: HeaderName = HeaderName::from_static("set-auth-token");
const SET_AUTH_JWT: HeaderName = HeaderName::from_static("set-auth-jwt");

/// The state that all routes share.
pub struct AppState {
    pub accounts: Accounts,
    pub sessions: Sessions,
    pub access: Arc<AccessTokens>,
    pub exports: DataExports,
    pub keys: Arc<Keyring>,
    pub origin_check: Arc<OriginCheck>,
    pub cookies: Cookies,
    /// The lifetime of the session cookie cache; `None`: off.
    pub session_cookie_cache: Option<Duration>,
}

/// The head of a request: credential, client and query.
///
/// Preconditions are refused, as no route has a version to compare; so are query parameters that
/// a route does not define.
pub struct RequestContext<Q = NoParameters> {
    pub credential: Credential,
    /// Whether the token is signed with a secret that is being rotated out.
    pub is_outdated: bool,
    pub client: ClientInfo,
    /// The query parameters.
    pub query: Q,
}

impl<Q: Members + Default> FromRequestParts<Arc<AppState>> for RequestContext<Q> {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AppState>,
    ) -> Result<Self, ApiError> {
        let query = read_head(parts)?;
        let client = ClientInfo::of(&parts.extensions);
        let (credential, is_outdated) = Credential::of(&parts.headers, &state.keys, &state.cookies);
        Ok(Self { credential, is_outdated, client, query })
    }
}

/// A signed-in caller.
pub struct Caller {
    pub signed_in: SignedIn,
    pub token: SessionToken,
    /// Headers of the response: the cookie again, if this call extended the session, its
    /// signature is outdated, or its token was replaced.
    pub headers: HeaderMap,
}

impl Caller {
    /// The caller's session, for renewed headers.
    pub fn grant<'a>(&'a self, user: &'a user::Model, stay: Stay) -> SessionGrant<'a> {
        SessionGrant { token: &self.token, session: self.signed_in.session(), user, stay }
    }
}

/// A session with its user and its token, to be given to the client.
#[derive(Clone, Copy)]
pub struct SessionGrant<'a> {
    pub token: &'a SessionToken,
    pub session: &'a session::Model,
    pub user: &'a user::Model,
    pub stay: Stay,
}

impl<'a> SessionGrant<'a> {
    /// A session that was just opened.
    pub fn of(opened: &'a Opened, user: &'a user::Model, stay: Stay) -> Self {
        let (token, session) = (&opened.token, &opened.session);
        Self { token, session, user, stay }
    }

    /// The response object.
    pub fn object(&self) -> SessionAndUser {
        let session = Session::own(self.session, self.token);
        SessionAndUser { session, user: self.user.into() }
    }
}

impl AppState {
    /// The token of a caller of a route for signed-in users.
    pub fn token<Q>(&self, request: RequestContext<Q>) -> Result<SessionToken, ApiError> {
        match request.credential {
            Credential::Token(token) => Ok(token),
            Credential::Invalid => {
                Err(ApiError::unauthorized().with_expired_cookies(self.expired_cookies()?))
            }
            Credential::None => Err(ApiError::unauthorized()),
        }
    }

    /// The result of a look-up by token; an invalid token expires the browser's cookies.
    pub fn expire_if_invalid<T>(&self, given: Result<T, Error>) -> Result<T, ApiError> {
        match given {
            Err(Error::Refused(Refusal::InvalidSession)) => {
                Err(ApiError::unauthorized().with_expired_cookies(self.expired_cookies()?))
            }
            given => Ok(given?),
        }
    }

    /// The caller of a route that is for signed-in users. Using the session extends it.
    pub async fn caller<Q>(&self, request: RequestContext<Q>) -> Result<Caller, ApiError> {
        let (client, is_outdated) = (request.client.clone(), request.is_outdated);
        let token = self.token(request)?;
        let signed_in = self.expire_if_invalid(self.sessions.resume(&token, &client).await)?;
        let mut caller = Caller { signed_in, token, headers: HeaderMap::new() };
        let signed_in = &caller.signed_in;
        if is_outdated || signed_in.was_extended() || signed_in.is_superseded() {
            let stay = self.sessions.stay(signed_in.session());
            caller.headers =
                self.renewed_session_headers(caller.grant(signed_in.user(), stay)).await?;
        }
        Ok(caller)
    }

    /// The headers of a sign-in: the session, and an access token.
    pub fn sign_in_headers(
        &self,
        user: &user::Model,
        opened: &Opened,
        stay: Stay,
    ) -> Result<HeaderMap, ApiError> {
        self.session_and_jwt_headers(SessionGrant::of(opened, user, stay))
    }

    /// The headers of an existing session with a new token: the session, and an access token.
    pub fn session_and_jwt_headers(&self, grant: SessionGrant<'_>) -> Result<HeaderMap, ApiError> {
        let mut headers = self.session_headers(grant)?;
        self.add_jwt(&mut headers, grant)?;
        Ok(headers)
    }

    /// The headers that give a session to the client, as cookie and as bearer token.
    pub fn session_headers(&self, grant: SessionGrant<'_>) -> Result<HeaderMap, ApiError> {
        let mut headers = HeaderMap::new();
        for cookie in self.cookies.sign_in(grant.token, grant.stay)? {
            headers.append(SET_COOKIE, cookie);
        }
        self.add_session_data(&mut headers, grant)?;
        let token = grant.token.signed(&self.keys).ok_or(Error::Unsigned)?;
        put(&mut headers, SET_AUTH_TOKEN, &token)?;
        Ok(headers)
    }

    /// The session headers for a client that has the session already, with the current token: it
    /// may have been replaced during this call, and a cookie with a replaced token ends the
    /// session at its next use. A client with such a cookie gets the current one.
    pub async fn renewed_session_headers(
        &self,
        grant: SessionGrant<'_>,
    ) -> Result<HeaderMap, ApiError> {
        match self.sessions.latest(grant.token).await? {
            Some(token) => self.session_headers(SessionGrant { token: &token, ..grant }),
            None => Ok(HeaderMap::new()),
        }
    }

    /// Adds the session data cookie, if configured.
    pub fn add_session_data(
        &self,
        headers: &mut HeaderMap,
        grant: SessionGrant<'_>,
    ) -> Result<(), ApiError> {
        let Some(lifetime) =
            self.session_cookie_cache.and_then(|life| TimeDelta::from_std(life).ok())
        else {
            return Ok(());
        };
        let now = self.sessions.now();
        if let Some(copy) = session_data::copy(&grant.object(), &self.keys, now, lifetime) {
            let seconds = (grant.stay == Stay::Remembered).then_some(lifetime.num_seconds());
            headers.append(SET_COOKIE, self.cookies.session_data(&copy, seconds)?);
        }
        Ok(())
    }

    /// Adds an access token. A user whose row fits no token (an unusual row of a foreign server)
    /// is signed in without: `GET /token` returns the error.
    pub fn add_jwt(
        &self,
        headers: &mut HeaderMap,
        grant: SessionGrant<'_>,
    ) -> Result<(), ApiError> {
        match self.access.issue(grant.user, grant.session) {
            Ok(issued) => put(headers, SET_AUTH_JWT, &issued.token),
            Err(error) => {
                drop(status(&error)); // logs the cause
                Ok(())
            }
        }
    }

    /// The headers that expire the session cookies.
    pub fn expired_cookies(&self) -> Result<HeaderMap, ApiError> {
        let expired = self.cookies.expired()?;
        Ok(expired.into_iter().map(|cookie| (SET_COOKIE, cookie)).collect())
    }
}

/// Adds a header that is hidden in logs. Scripts of trusted origins may read it (see `cors` of
/// `server`).
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), ApiError> {
    let mut value = HeaderValue::try_from(value).map_err(|_| Error::Unsigned)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}
