//! The interceptor: the first half of the ownership rule. The second, which refuses another user's
//! path or message, is `Principal::owning` in `principal`.

use std::sync::Arc;

use http::HeaderMap;
use tonic::{
    Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
};

use super::{OwnershipObserver, Principal, Refusal, TokenVerifier, bearer};

/// The metadata in which a client may repeat its user. It grants nothing: it can only make a call
/// fail.
pub const USER_ID_METADATA: &str = "x-user-id";

/// The gate: passes calls with a valid access token, and gives the handler their [`Principal`].
#[derive(Clone)]
pub struct Gate {
    verifier: Arc<TokenVerifier>,
    observer: Option<Arc<dyn OwnershipObserver>>,
}

impl Gate {
    /// A gate that trusts `verifier`.
    #[must_use]
    pub fn new(verifier: TokenVerifier) -> Self {
        Self { verifier: Arc::new(verifier), observer: None }
    }

    /// The gate, with an observer of clients that name another user.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn OwnershipObserver>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// `service` behind this gate: every call is refused before its body is read, or
    /// carries a [`Principal`].
    pub fn guard<S>(&self, service: S) -> InterceptedService<S, Self> {
        InterceptedService::new(service, self.clone())
    }

    /// The principal of these headers (or this metadata), or the refusal.
    pub fn admit(&self, headers: &HeaderMap) -> Result<Principal, Refusal> {
        let principal = self.verifier.verify(bearer(headers)?)?;
        let principal = principal.observed_by(self.observer.clone());
        for named in headers.get_all(USER_ID_METADATA) {
            principal.owning(named.to_str().unwrap_or_default())?;
        }
        Ok(principal)
    }
}

impl Interceptor for Gate {
    /// Inserts a principal or rejects; an earlier one is never kept.
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.extensions_mut().remove::<Principal>();
        let principal = self.admit(request.metadata().as_ref())?;
        request.extensions_mut().insert(principal);
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;
    use tonic::Code;

    use super::*;
    use crate::{
        auth::{Keyring, Profile, Secret, TokenIssuer, TokenPolicy, UserId},
        clock::SystemClock,
    };

    fn gate_and_token() -> (Gate, String) {
        let secret = Secret::parse("0b5f1c9e7a3d48626e2f9b04c7d1583a".into()).expect("strong");
        let keys = Arc::new(Keyring::new(&secret, &[]));
        let policy = TokenPolicy {
            issuer: None,
            audience: None,
            leeway: Duration::ZERO,
            max_lifetime: Duration::from_mins(15),
        };
        let clock = Arc::new(SystemClock);
        let ttl = Duration::from_mins(15);
        let issuer = TokenIssuer::new(keys.clone(), policy.clone(), ttl, clock.clone());
        let token = issuer
            .issue(&UserId::parse("alice").expect("an id"), Profile::default())
            .expect("a token")
            .token;
        (Gate::new(TokenVerifier::new(keys, policy, clock)), token)
    }

    fn request(token: Option<&str>, users: &[&str]) -> Request<()> {
        let mut request = Request::new(());
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().expect("a header value");
            request.metadata_mut().insert("authorization", value);
        }
        for user in users {
            request.metadata_mut().append(USER_ID_METADATA, user.parse().expect("a header value"));
        }
        request
    }

    #[test]
    fn a_good_token_leaves_its_user_with_the_handler() {
        let (mut gate, token) = gate_and_token();
        for users in [&[][..], &["alice"], &["alice", "alice"]] {
            let passed = gate.call(request(Some(&token), users)).expect("passes");
            assert_eq!(Principal::of(&passed).expect("a principal").user().as_str(), "alice");
        }
    }

    #[test]
    fn a_user_in_the_metadata_can_only_refuse() {
        let (mut gate, token) = gate_and_token();
        for users in [&["bob"][..], &[""], &["alice", "bob"], &["bob", "alice"], &["alice "]] {
            let refused = gate.call(request(Some(&token), users)).expect_err("not hers");
            assert_eq!(refused.code(), Code::PermissionDenied, "{users:?}");
        }
        let refused = gate.call(request(None, &["alice"])).expect_err("no token");
        assert_eq!(refused.code(), Code::Unauthenticated);
    }

    #[test]
    fn a_principal_that_was_there_before_is_not_kept() {
        let (mut gate, token) = gate_and_token();
        let planted =
            Principal::new(UserId::parse("mallory").expect("an id"), DateTime::UNIX_EPOCH);
        let mut call = request(None, &[]);
        call.extensions_mut().insert(planted.clone());
        assert_eq!(gate.call(call).expect_err("no token").code(), Code::Unauthenticated);
        let mut call = request(Some(&token), &[]);
        call.extensions_mut().insert(planted);
        let passed = gate.call(call).expect("passes");
        assert_eq!(Principal::of(&passed).expect("a principal").user().as_str(), "alice");
    }
}
