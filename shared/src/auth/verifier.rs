//! The verifier of tokens: the principal of a token, or the refusal.
//!
//! RFC 7519 with the advice of RFC 8725. The order is part of the design: size and shape before
//! any decoding, the signature before the payload.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    Keyring, Principal, Refusal, ServicePrincipal, TokenPolicy, Trust, UserId,
    claims::{Claim, Claims, Header, NumericDate, part},
    session_cache,
};
use crate::clock::Clock;

/// Longer tokens are refused unread.
pub(super) const MAX_LENGTH: usize = 8 * 1024;

/// The verifier of access tokens of one kind: keys and a clock, no I/O.
pub struct TokenVerifier {
    trust: Trust,
    policy: TokenPolicy,
    clock: Arc<dyn Clock>,
}

impl TokenVerifier {
    /// Accepts the access tokens that `keys` signed with HS256 and `policy` allows.
    #[must_use]
    pub fn new(keys: Arc<Keyring>, policy: TokenPolicy, clock: Arc<dyn Clock>) -> Self {
        Self::trusting(Trust::Secrets(keys), policy, clock)
    }

    /// Accepts the tokens that `trust` names and `policy` allows, and no others.
    #[must_use]
    pub fn trusting(trust: Trust, policy: TokenPolicy, clock: Arc<dyn Clock>) -> Self {
        Self { trust, policy, clock }
    }

    /// The principal of `token`, as of now.
    pub fn verify(&self, token: &str) -> Result<Principal, Refusal> {
        let payload = self.authenticate(token)?;
        let (claims, expires_at) = self.current(payload)?;
        self.check_parties(&claims)?;
        if let Trust::SessionCache(_) = self.trust {
            let session = session_cache::read(payload, &claims)?;
            let ends = seconds(session.expires_at) + self.policy.leeway.as_secs_f64();
            if ends <= seconds(self.clock.now()) {
                return Err(Refusal::TokenExpired);
            }
            return Ok(Principal::new(session.user, expires_at.min(timestamp(ends))));
        }
        Ok(Principal::new(user(claims)?, expires_at))
    }

    /// The service of `token`, as of now. The audience is always checked, whatever the policy.
    pub(super) fn verify_service(
        &self,
        token: &str,
        audience: &str,
    ) -> Result<ServicePrincipal, Refusal> {
        let (claims, _) = self.current(self.authenticate(token)?)?;
        if !matches!(&claims.aud, Claim::Valid(aud) if aud.is_only(audience)) {
            return Err(Refusal::InvalidAudience);
        }
        match (claims.sub, claims.uid) {
            (Claim::Valid(sub), Claim::Absent) => ServicePrincipal::of_subject(&sub),
            _ => Err(Refusal::MissingUidClaim),
        }
    }

    /// The claims of an authentic payload that are valid now, and their expiry.
    fn current(&self, payload: &str) -> Result<(Claims, DateTime<Utc>), Refusal> {
        let claims: Claims = part(payload)?;
        if claims.has_other_purpose() {
            return Err(Refusal::MalformedToken);
        }
        let expires_at = self.check_times(&claims)?;
        Ok((claims, expires_at))
    }

    /// The payload, still encoded, of a token with a trusted signature.
    pub(super) fn authenticate<'t>(&self, token: &'t str) -> Result<&'t str, Refusal> {
        let (message, payload, encoded, tag) = split(token)?;
        let header: Header = part(encoded)?;
        header.check()?;
        let (alg, kid) = (header.alg.as_str(), header.kid.as_deref());
        match &self.trust {
            Trust::PublicKeys(source) => source.verify(alg, kid, message, tag)?,
            Trust::Secrets(_) | Trust::SessionCache(_) if alg != "HS256" => {
                return Err(Refusal::InvalidTokenSignature);
            }
            Trust::Secrets(keys) => keys.verify(kid, message, tag)?,
            Trust::SessionCache(keys) => {
                session_cache::check_header(encoded)?;
                keys.verify(None, message, tag)?;
            }
        }
        Ok(payload)
    }

    /// Checks the times: `exp` is required; `nbf` and `iat` are checked where present. Returns the
    /// expiry, leeway included.
    fn check_times(&self, claims: &Claims) -> Result<DateTime<Utc>, Refusal> {
        let date = |claim: &Claim<NumericDate>| match claim {
            Claim::Absent => Ok(None),
            Claim::Valid(NumericDate(seconds)) => Ok(Some(*seconds)),
            Claim::Invalid => Err(Refusal::MalformedToken),
        };
        let exp = date(&claims.exp)?.ok_or(Refusal::MalformedToken)?;
        let (nbf, iat) = (date(&claims.nbf)?, date(&claims.iat)?);
        let now = seconds(self.clock.now());
        let leeway = self.policy.leeway.as_secs_f64();
        if exp + leeway <= now {
            return Err(Refusal::TokenExpired);
        }
        if [nbf, iat].into_iter().flatten().any(|start| start > now + leeway) {
            return Err(Refusal::TokenNotYetValid);
        }
        if exp - iat.unwrap_or(now) > self.policy.max_lifetime.as_secs_f64() {
            return Err(Refusal::MalformedToken);
        }
        Ok(timestamp(exp + leeway))
    }

    /// Checks issuer and audience, each required and exact wherever one is configured.
    fn check_parties(&self, claims: &Claims) -> Result<(), Refusal> {
        if let Some(issuer) = &self.policy.issuer
            && !matches!(&claims.iss, Claim::Valid(iss) if iss == issuer)
        {
            return Err(Refusal::InvalidIssuer);
        }
        if let Some(audience) = &self.policy.audience
            && !matches!(&claims.aud, Claim::Valid(aud) if aud.contains(audience))
        {
            return Err(Refusal::InvalidAudience);
        }
        Ok(())
    }
}

#[cfg(test)]
impl TokenVerifier {
    /// This verifier with other trusted keys.
    pub(super) fn but_trusting(&self, trust: Trust) -> Self {
        Self::trusting(trust, self.policy.clone(), self.clock.clone())
    }

    pub(super) fn secrets(&self) -> Option<&Arc<Keyring>> {
        match &self.trust {
            Trust::Secrets(keys) => Some(keys),
            Trust::SessionCache(_) | Trust::PublicKeys(_) => None,
        }
    }
}

/// `(header.payload, payload, header, tag)` of a compact JWS (RFC 7515 section 7.1): three
/// non-empty parts of base64url characters, nothing else.
fn split(token: &str) -> Result<(&str, &str, &str, &str), Refusal> {
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if token.len() > MAX_LENGTH {
        return Err(Refusal::MalformedToken);
    }
    let (message, tag) = token.rsplit_once('.').ok_or(Refusal::MalformedToken)?;
    let (header, payload) = message.split_once('.').ok_or(Refusal::MalformedToken)?;
    if [header, payload, tag].into_iter().all(is_plain) {
        Ok((message, payload, header, tag))
    } else {
        Err(Refusal::MalformedToken)
    }
}

/// The user: `sub`, or `uid` where there is no `sub`; if both are present they must agree.
fn user(claims: Claims) -> Result<UserId, Refusal> {
    let named = match (claims.sub, claims.uid) {
        (Claim::Valid(sub), Claim::Absent) => sub,
        (Claim::Valid(sub), Claim::Valid(uid)) if sub == uid => sub,
        (Claim::Absent, Claim::Valid(uid)) => uid,
        _ => return Err(Refusal::MissingUidClaim),
    };
    UserId::parse(&named).map_err(|_| Refusal::MissingUidClaim)
}

#[expect(clippy::cast_precision_loss, reason = "micro-seconds since 1970 fit until 2255")]
fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp_micros() as f64 / 1e6
}

#[expect(clippy::cast_possible_truncation, reason = "what is too far away is as far as can be")]
fn timestamp(seconds: f64) -> DateTime<Utc> {
    let micros = (seconds * 1e6).round() as i64;
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
