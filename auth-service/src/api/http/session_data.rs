//! The session cookie cache: the cookie `session_data` in Better Auth's strategy "jwt", a signed
//! copy of the session for the frontend's own server.
//!
//! It contains the session token and outlives a revocation by its short lifetime, so it is off by
//! default. It has no audience: where access tokens must have one, it does not pass for one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use shared::auth::Keyring;

use super::responses::SessionAndUser;

/// Upstream's header; a reader pins the algorithm, not the key.
const HEADER: &str = r#"{"alg":"HS256"}"#;

/// The longest value: browsers drop a cookie of more than 4096 bytes, name and attributes
/// included.
const LONGEST: usize = 4000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'a> {
    #[serde(flatten)]
    session_and_user: &'a SessionAndUser,
    /// In milliseconds.
    updated_at: i64,
    version: &'static str,
    iat: i64,
    exp: i64,
    /// Beyond upstream's claims: the user, where verifiers look for one.
    sub: &'a str,
}

/// The copy, valid for `lifetime` from `now`. `None`: it cannot be signed, or is too long for a
/// browser; then the frontend calls this server.
pub fn copy(
    of: &SessionAndUser,
    keys: &Keyring,
    now: DateTime<Utc>,
    lifetime: TimeDelta,
) -> Option<String> {
    let claims = Claims {
        session_and_user: of,
        updated_at: now.timestamp_millis(),
        version: "1",
        iat: now.timestamp(),
        exp: now.timestamp() + lifetime.num_seconds(),
        sub: of.user.id(),
    };
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).ok()?);
    let message = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(HEADER));
    let tag = keys.sign(&message)?;
    Some(format!("{message}.{tag}")).filter(|copy| copy.len() <= LONGEST)
}
