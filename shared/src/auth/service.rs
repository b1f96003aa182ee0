//! Service tokens: for calls between services, each made for one call, with a gate that accepts
//! no other tokens.
//!
//! They are signed with the shared secret, so the claims distinguish the two kinds: a service
//! token's subject is no user id (`service:…`) and its audience is one gate.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tonic::{
    Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
};

use super::{
    IssueError, Keyring, Refusal, TokenPolicy, TokenVerifier, bearer, gate::USER_ID_METADATA,
    issuer::sign, principal::SERVICE_PREFIX,
};
use crate::clock::Clock;

/// The lifetime of a service token, which is made for one call.
const LIFETIME: Duration = Duration::from_mins(1);

/// The service of a verified token. Only [`ServiceGate`] makes one.
///
/// The token was checked when the call began. A stream outlives it: it continues for as long as
/// its connection may, half an hour, and is reopened with a new token.
///
/// ```compile_fail,E0451
/// # use shared::auth::ServicePrincipal;
/// let forged = ServicePrincipal { name: "auth-service".into() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePrincipal {
    name: Arc<str>,
}

/// The text cannot name a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 63 lower-case letters, digits and hyphens")]
pub struct InvalidServiceName;

fn check_name(name: &str) -> Result<(), InvalidServiceName> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (1..=63).contains(&name.len()) && name.bytes().all(is_plain);
    if fits { Ok(()) } else { Err(InvalidServiceName) }
}

impl ServicePrincipal {
    pub(super) fn of_subject(subject: &str) -> Result<Self, Refusal> {
        let name = subject.strip_prefix(SERVICE_PREFIX).ok_or(Refusal::MissingUidClaim)?;
        check_name(name).map_err(|_| Refusal::MissingUidClaim)?;
        Ok(Self { name: name.into() })
    }

    /// The principal that the gate inserted into `request`. Fails closed: a service that was
    /// mounted without the gate refuses every call.
    pub fn of<T>(request: &Request<T>) -> Result<&Self, Refusal> {
        request.extensions().get().ok_or(Refusal::MissingToken)
    }

    /// The name, such as `auth-service`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The gate for services: passes calls with a service token for this audience, and gives the
/// handler their [`ServicePrincipal`]. Users are refused, whatever their token.
#[derive(Clone)]
pub struct ServiceGate {
    verifier: Arc<TokenVerifier>,
    audience: &'static str,
}

impl ServiceGate {
    /// A gate that trusts the tokens that `keys` signed for `audience`, such as
    /// `task-service/admin`. `leeway` is for clock drift.
    #[must_use]
    pub fn new(
        keys: Arc<Keyring>,
        audience: &'static str,
        leeway: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let max_lifetime = LIFETIME + leeway;
        let policy = TokenPolicy { issuer: None, audience: None, leeway, max_lifetime };
        Self { verifier: Arc::new(TokenVerifier::new(keys, policy, clock)), audience }
    }

    /// `service` behind this gate: every call is refused before its body is read, or
    /// carries a [`ServicePrincipal`].
    pub fn guard<S>(&self, service: S) -> InterceptedService<S, Self> {
        InterceptedService::new(service, self.clone())
    }
}

impl Interceptor for ServiceGate {
    /// Inserts a principal or rejects; an earlier one is never kept. A service acts for no user,
    /// so a call that names one is refused.
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.extensions_mut().remove::<ServicePrincipal>();
        let headers = request.metadata().as_ref();
        let principal = self.verifier.verify_service(bearer(headers)?, self.audience)?;
        if headers.contains_key(USER_ID_METADATA) {
            return Err(Refusal::ForbiddenUserAccess.into());
        }
        request.extensions_mut().insert(principal);
        Ok(request)
    }
}

/// The issuer of one service's tokens, for calls to another.
pub struct ServiceTokenIssuer {
    keys: Arc<Keyring>,
    subject: String,
    audience: &'static str,
    clock: Arc<dyn Clock>,
}

#[derive(Serialize)]
struct Payload<'a> {
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

impl ServiceTokenIssuer {
    /// Tokens of the service `name` for the gate of `audience`.
    pub fn new(
        keys: Arc<Keyring>,
        name: &str,
        audience: &'static str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidServiceName> {
        check_name(name)?;
        Ok(Self { keys, subject: format!("{SERVICE_PREFIX}{name}"), audience, clock })
    }

    /// A token for one call, or for the opening of one stream: it lives for a minute.
    pub fn issue(&self) -> Result<String, IssueError> {
        let iat = self.clock.now().timestamp();
        let exp = iat.saturating_add_unsigned(LIFETIME.as_secs());
        sign(&self.keys, &Payload { sub: &self.subject, aud: self.audience, iat, exp })
    }
}
