//! Services that call each other: tokens of their own, made for one call, and a gate that
//! takes no other.
//!
//! They are signed with the secret that all share, so what keeps the two kinds apart is
//! what they say: a service token's subject is no user id (`service:…`) and its audience is
//! the one gate it is for.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tonic::{
    Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
};

use super::{
    IssueError, Keyring, Refusal, TokenPolicy, TokenVerifier, bearer, gate::USER, issuer::sign,
    principal::SERVICE_PREFIX,
};
use crate::clock::Clock;

/// How long a service token lives: it is made for the call it goes with.
const LIFETIME: Duration = Duration::from_mins(1);

/// The service a verified token stands for. Only [`ServiceGate`] makes one.
///
/// The token was checked when the call began and is long over when a stream is: such a
/// stream goes on for as long as its connection may, half an hour (see
/// [`serve`](server)), and is opened again with a new token.
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

    /// The principal the gate left in `request`. Fails closed: a service that was mounted
    /// without the gate refuses everybody.
    pub fn of<T>(request: &Request<T>) -> Result<&Self, Refusal> {
        request.extensions().get().ok_or(Refusal::MissingToken)
    }

    /// Its name, such as `auth-service`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Lets a call through if it carries a service token for this audience, and tells the
/// handler whose. Users are refused, whatever their token says.
#[derive(Clone)]
pub struct ServiceGate {
    verifier: Arc<TokenVerifier>,
    audience: &'static str,
}

impl ServiceGate {
    /// A gate that believes what `keys` signed for `audience`, such as `task-service/admin`.
    /// `leeway` is how far clocks may differ.
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
    /// Inserts a principal or rejects; one that was there before is never kept. A service
    /// acts for nobody, so a call that says whom it acts for is refused.
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.extensions_mut().remove::<ServicePrincipal>();
        let headers = request.metadata().as_ref();
        let principal = self.verifier.verify_service(bearer(headers)?, self.audience)?;
        if headers.contains_key(USER) {
            return Err(Refusal::ForbiddenUserAccess.into());
        }
        request.extensions_mut().insert(principal);
        Ok(request)
    }
}

/// Makes the tokens of one service, for the calls to another.
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
