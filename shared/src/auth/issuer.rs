//! The issuer of access tokens. Any holder of the secret could issue them; only auth-service
//! does.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, Header, encode};
use serde::Serialize;

use super::{Keyring, TokenPolicy, UserId, verifier::MAX_LENGTH};
use crate::clock::Clock;

/// The user's profile in a token. No decision depends on it.
#[derive(Clone, Copy, Default)]
pub struct Profile<'a> {
    /// The session the token was made from.
    pub session_id: Option<&'a str>,
    /// The canonical e-mail.
    pub email: Option<&'a str>,
    /// The display name.
    pub name: Option<&'a str>,
}

/// An issued token and its expiry.
pub struct IssuedToken {
    /// The compact JWS.
    pub token: String,
    /// `exp`, to the second.
    pub expires_at: DateTime<Utc>,
}

/// The token could not be issued, or no verifier would accept it.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// Verifiers cap the lifetime.
    #[error("a token may live for {} at most", humantime::format_duration(*.0))]
    TooLong(Duration),
    /// Verifiers cap the length: the profile is too large.
    #[error("the token would be longer than {MAX_LENGTH} bytes")]
    TooLarge,
    /// The signing failed.
    #[error("cannot sign an access token")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// Signs access tokens with HS256 and the first secret.
pub struct TokenIssuer {
    keys: Arc<Keyring>,
    policy: TokenPolicy,
    lifetime: Duration,
    clock: Arc<dyn Clock>,
}

#[derive(Serialize)]
struct Payload<'a> {
    sub: &'a str,
    uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl TokenIssuer {
    /// Issues tokens that live for `lifetime` and that a verifier with the same `policy`
    /// accepts.
    #[must_use]
    pub fn new(
        keys: Arc<Keyring>,
        policy: TokenPolicy,
        lifetime: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { keys, policy, lifetime, clock }
    }

    /// A token for `user`, valid from now.
    pub fn issue(&self, user: &UserId, profile: Profile<'_>) -> Result<IssuedToken, IssueError> {
        if self.lifetime > self.policy.max_lifetime {
            return Err(IssueError::TooLong(self.policy.max_lifetime));
        }
        let now = self.clock.now();
        let lifetime = TimeDelta::from_std(self.lifetime).unwrap_or(TimeDelta::MAX);
        let expires_at = now.checked_add_signed(lifetime).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let payload = Payload {
            sub: user.as_str(),
            uid: user.as_str(),
            iss: self.policy.issuer.as_deref(),
            aud: self.policy.audience.as_deref(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
            sid: profile.session_id,
            email: profile.email,
            name: profile.name,
        };
        let token = sign(&self.keys, &payload)?;
        if token.len() > MAX_LENGTH {
            return Err(IssueError::TooLarge);
        }
        let expires_at = DateTime::from_timestamp(payload.exp, 0).unwrap_or(expires_at);
        Ok(IssuedToken { token, expires_at })
    }
}

/// `payload` as a signed token.
pub(super) fn sign(keys: &Keyring, payload: &impl Serialize) -> Result<String, IssueError> {
    let kid = Some(keys.signing_id().to_owned());
    let header = Header { kid, ..Header::new(Algorithm::HS256) };
    Ok(encode(&header, payload, keys.signing())?)
}
