//! The payload of a session cache: Better Auth's cookie `session_data` in the strategy "jwt".
//!
//! It holds the session token in clear, so it is a credential beyond its own short life: only the
//! user's id and two timestamps are kept.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{
    Refusal, UserId,
    claims::{Claim, Claims, NumericDate, part, text},
};
use crate::json::Object;

/// The exact header of such a token, without other parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BareHeader {
    #[expect(dead_code, reason = "its value is checked for all kinds of tokens")]
    alg: String,
}

/// The required members. Others are the application's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    session: Object<Session>,
    user: Object<User>,
    #[serde(default)]
    updated_at: Claim<NumericDate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    user_id: String,
    expires_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

/// The session of a token: its user and expiry.
pub(super) struct CachedSession {
    pub user: UserId,
    pub expires_at: DateTime<Utc>,
}

/// Refuses every header but `{"alg":…}`: other tokens under this secret have `typ`.
pub(super) fn check_header(header: &str) -> Result<(), Refusal> {
    part::<BareHeader>(header).map(|_| ())
}

/// The session in `payload`, whose claims are `claims`. Both parts, and a `sub` or `uid` beside
/// them, must name the same user, and there must be no audience.
pub(super) fn read(payload: &str, claims: &Claims) -> Result<CachedSession, Refusal> {
    let Object::<Members>(members) =
        serde_json::from_str(&text(payload)?).map_err(|_| Refusal::MissingUidClaim)?;
    let (Object(session), Object(User { id })) = (members.session, members.user);
    let agrees = |claim: &Claim<String>| match claim {
        Claim::Absent => true,
        Claim::Valid(named) => *named == id,
        Claim::Invalid => false,
    };
    if session.user_id != id || !agrees(&claims.sub) || !agrees(&claims.uid) {
        return Err(Refusal::MissingUidClaim);
    }
    if !matches!(members.updated_at, Claim::Valid(_)) {
        return Err(Refusal::MalformedToken);
    }
    if !matches!(claims.aud, Claim::Absent) {
        return Err(Refusal::InvalidAudience);
    }
    let user = UserId::parse(&id).map_err(|_| Refusal::MissingUidClaim)?;
    Ok(CachedSession { user, expires_at: session.expires_at })
}
