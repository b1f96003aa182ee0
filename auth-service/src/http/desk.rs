//! What the routes work with, and how they hand a session over.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRequestParts;
use chrono::TimeDelta;
use http::{
    header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE},
    request::Parts,
};
use serde::de::DeserializeOwned;
use server::{ClientInfo, http::NoParameters};
use shared::{auth::Keyring, error::status};

use super::{
    cookies::Cookies,
    credential::Credential,
    head::read_head,
    objects::{Session, SessionAndUser},
    refusal::Refused,
    session_data,
    site::Site,
};
use crate::{
    access::AccessTokens,
    account::Accounts,
    data_export::DataExports,
    entity::{session, user},
    error::Error,
    session::{Opened, Sessions, SignedIn, Stay},
    session_token::SessionToken,
};

const SET_AUTH_TOKEN: HeaderName = HeaderName::from_static("set-auth-token");
const SET_AUTH_JWT: HeaderName = HeaderName::from_static("set-auth-jwt");

/// What every route works with.
pub struct Desk {
    pub accounts: Accounts,
    pub sessions: Sessions,
    pub access: Arc<AccessTokens>,
    pub exports: DataExports,
    pub keys: Arc<Keyring>,
    pub site: Arc<Site>,
    pub cookies: Cookies,
    /// How long a browser may go by its copy of the session, if it gets one.
    pub copies_live: Option<Duration>,
}

/// What the head of a request tells of who asks.
///
/// No route here has a version to compare, so a precondition is refused by name; and so is
/// a query parameter, where the route does not say which it takes.
pub struct Call<Q = NoParameters> {
    pub credential: Credential,
    /// Whether the token is signed with a secret that is on its way out.
    pub is_outdated: bool,
    pub client: ClientInfo,
    /// What the query asks for.
    pub query: Q,
}

impl<Q: DeserializeOwned> FromRequestParts<Arc<Desk>> for Call<Q> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Refused> {
        let query = read_head(parts)?;
        let client = ClientInfo::of(&parts.extensions);
        let (credential, is_outdated) = Credential::of(&parts.headers, &desk.keys, &desk.cookies);
        Ok(Self { credential, is_outdated, client, query })
    }
}

/// Somebody who is signed in.
pub struct Caller {
    pub signed_in: SignedIn,
    pub token: SessionToken,
    /// For the answer: the cookie again, if this very call extended the session, the
    /// cookie's signature is outdated, or its token was replaced.
    pub headers: HeaderMap,
}

impl Caller {
    /// The caller's session, to be handed over again.
    pub fn holding<'a>(&'a self, user: &'a user::Model, stay: Stay) -> Holding<'a> {
        Holding { token: &self.token, session: self.signed_in.session(), user, stay }
    }
}

/// A session, whose it is, and the token that opens it.
#[derive(Clone, Copy)]
pub struct Holding<'a> {
    pub token: &'a SessionToken,
    pub session: &'a session::Model,
    pub user: &'a user::Model,
    pub stay: Stay,
}

impl<'a> Holding<'a> {
    /// A session that was just opened.
    pub fn of(opened: &'a Opened, user: &'a user::Model, stay: Stay) -> Self {
        let (token, session) = (&opened.token, &opened.session);
        Self { token, session, user, stay }
    }

    /// As the holder is shown it.
    pub fn object(&self) -> SessionAndUser {
        let session = Session::own(self.session, self.token);
        SessionAndUser { session, user: self.user.into() }
    }
}

impl Desk {
    /// The token of whoever calls a route that is for signed-in users.
    pub fn token<Q>(&self, call: Call<Q>) -> Result<SessionToken, Refused> {
        match call.credential {
            Credential::Token(token) => Ok(token),
            Credential::Dead => Err(Refused::unauthorized().forgetting(self.forget()?)),
            Credential::None => Err(Refused::unauthorized()),
        }
    }

    /// What a token gave, or the refusal that makes a browser forget a dead one.
    pub fn given<T>(&self, given: Result<T, Error>) -> Result<T, Refused> {
        match given {
            Err(Error::InvalidSession) => Err(Refused::unauthorized().forgetting(self.forget()?)),
            given => Ok(given?),
        }
    }

    /// The caller of a route that is for signed-in users. Using the session extends it.
    pub async fn caller<Q>(&self, call: Call<Q>) -> Result<Caller, Refused> {
        let (client, is_outdated) = (call.client.clone(), call.is_outdated);
        let token = self.token(call)?;
        let signed_in = self.given(self.sessions.resume(&token, &client).await)?;
        let mut caller = Caller { signed_in, token, headers: HeaderMap::new() };
        let signed_in = &caller.signed_in;
        if is_outdated || signed_in.was_extended() || signed_in.is_superseded() {
            let stay = self.sessions.stay(signed_in.session());
            caller.headers = self.hand_over_again(caller.holding(signed_in.user(), stay)).await?;
        }
        Ok(caller)
    }

    /// The headers that somebody gets who has just come in: the session, and an access token.
    pub fn welcome(
        &self,
        user: &user::Model,
        opened: &Opened,
        stay: Stay,
    ) -> Result<HeaderMap, Refused> {
        self.receive(Holding::of(opened, user, stay))
    }

    /// The same for a session that is there already, with a token that is new.
    pub fn receive(&self, holding: Holding<'_>) -> Result<HeaderMap, Refused> {
        let mut headers = self.hand_over(holding)?;
        self.add_jwt(&mut headers, holding)?;
        Ok(headers)
    }

    /// The headers that give a session to its holder, as cookie and as bearer token.
    pub fn hand_over(&self, holding: Holding<'_>) -> Result<HeaderMap, Refused> {
        let mut headers = HeaderMap::new();
        for cookie in self.cookies.sign_in(holding.token, holding.stay)? {
            headers.append(SET_COOKIE, cookie);
        }
        self.add_copy(&mut headers, holding)?;
        let token = holding.token.signed(&self.keys).ok_or(Error::Unsigned)?;
        put(&mut headers, SET_AUTH_TOKEN, &token)?;
        Ok(headers)
    }

    /// The same for somebody who holds the session already, with the token that is current
    /// by now: it may have been replaced while this call ran, and a cookie that brings a
    /// replaced one back ends the session at its next use. Who has such a cookie is healed.
    pub async fn hand_over_again(&self, holding: Holding<'_>) -> Result<HeaderMap, Refused> {
        match self.sessions.latest(holding.token).await? {
            Some(token) => self.hand_over(Holding { token: &token, ..holding }),
            None => Ok(HeaderMap::new()),
        }
    }

    /// Adds the copy of the session that the frontend's server reads, where it is wanted.
    pub fn add_copy(&self, headers: &mut HeaderMap, holding: Holding<'_>) -> Result<(), Refused> {
        let Some(lifetime) = self.copies_live.and_then(|life| TimeDelta::from_std(life).ok())
        else {
            return Ok(());
        };
        let now = self.sessions.now();
        if let Some(copy) = session_data::copy(&holding.object(), &self.keys, now, lifetime) {
            let seconds = (holding.stay == Stay::Remembered).then_some(lifetime.num_seconds());
            headers.append(SET_COOKIE, self.cookies.session_data(&copy, seconds)?);
        }
        Ok(())
    }

    /// Adds an access token. A user whose row fits in none (a foreign server's odd one) is
    /// signed in without: `GET /token` says why.
    pub fn add_jwt(&self, headers: &mut HeaderMap, holding: Holding<'_>) -> Result<(), Refused> {
        match self.access.issue(holding.user, holding.session) {
            Ok(issued) => put(headers, SET_AUTH_JWT, &issued.token),
            Err(error) => {
                drop(status(&error)); // logs the cause
                Ok(())
            }
        }
    }

    /// The headers that make a browser forget its session.
    pub fn forget(&self) -> Result<HeaderMap, Refused> {
        let expired = self.cookies.expired()?;
        Ok(expired.into_iter().map(|cookie| (SET_COOKIE, cookie)).collect())
    }
}

/// Adds a header that no log may show. Scripts of trusted sites may read it (see `cors` of
/// `server`).
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), Refused> {
    let mut value = HeaderValue::try_from(value).map_err(|_| Error::Unsigned)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}
