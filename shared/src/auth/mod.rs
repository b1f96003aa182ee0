//! The gate: authentication, and the ownership rule.
//!
//! A [`Gate`] in front of a service turns `authorization: Bearer <access token>` into a
//! [`Principal`], or responds UNAUTHENTICATED; the handler turns the principal and the user the
//! message names into an [`Owner`], or responds PERMISSION_DENIED. Stores require an `Owner`, so
//! unchecked access does not compile.
//!
//! - `gate`: the interceptor; `bearer`: the token in the metadata
//! - `principal`: who calls, and the ownership rule
//! - `verifier`: signature, times, parties; `claims`: the parts of a token; `hs256`: the MAC
//! - `policy`: issuer, audience, leeway and the longest lifetime, as configured
//! - `keyring`, `secret`: secrets and their rotation; `issuer`: new access tokens
//! - `trust`, `session_cache`, `jwks`: tokens of a Better Auth server
//! - `service`: tokens between services
//!
//! Services that call each other have tokens and a gate of their own ([`ServiceGate`]).
//!
//! Verification is stateless: a shared secret and a clock, no database, no network. Beside a
//! Better Auth server other tokens may be trusted ([`TokenKind`]); published keys are fetched in
//! the background, never by a call.
//!
//! One line puts the gate in front of any tonic service, here the health service:
//!
//! ```
//! use std::{collections::HashMap, sync::Arc, time::Duration};
//!
//! use shared::auth::{Gate, Keyring, TokenIssuer, TokenPolicy, TokenVerifier, UserId};
//! use shared::{clock::SystemClock, config::Reader, origin::BETTER_AUTH_URL};
//! use tonic::{Code, Request};
//! use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let env = HashMap::from([ // `crate::config::Env` in a real service
//!     ("BETTER_AUTH_SECRET", "0b5f1c9e7a3d48626e2f9b04c7d1583a".to_owned()),
//!     ("BETTER_AUTH_URL", "http://localhost:8000".to_owned()),
//! ]);
//! let mut reader = Reader::new(&env);
//! let keys = Keyring::read(&mut reader).map(Arc::new);
//! let policy = TokenPolicy::read(&mut reader, &BETTER_AUTH_URL);
//! let (keys, policy) = reader.finish(keys.zip(policy))?;
//! let clock = Arc::new(SystemClock);
//! let gate = Gate::new(TokenVerifier::new(keys.clone(), policy.clone(), clock.clone()));
//!
//! let guarded = gate.guard(tonic_health::server::health_reporter().1); // the one line
//!
//! let mut client = HealthClient::new(guarded);
//! let refused = client.check(HealthCheckRequest::default()).await.unwrap_err();
//! assert_eq!(refused.code(), Code::Unauthenticated);
//!
//! let issuer = TokenIssuer::new(keys, policy, Duration::from_secs(900), clock);
//! let token = issuer.issue(&UserId::parse("alice")?, Default::default())?.token;
//! let mut call = Request::new(HealthCheckRequest::default());
//! call.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
//! assert!(client.check(call).await.is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! Behind it, the first line of a handler is the ownership rule:
//!
//! ```
//! use shared::auth::{Owner, Principal};
//! use tonic::{Request, Status};
//!
//! #[derive(Default)]
//! struct GetTaskRequest { user_id: String }
//!
//! fn owner_of(request: &Request<GetTaskRequest>) -> Result<Owner, Status> {
//!     Ok(Principal::of(request)?.owning(&request.get_ref().user_id)?)
//! }
//! # let request = Request::new(GetTaskRequest::default()); // never saw the gate
//! # assert_eq!(owner_of(&request).unwrap_err().code(), tonic::Code::Unauthenticated);
//! ```

mod bearer;
mod claims;
mod gate;
mod hs256;
mod issuer;
#[cfg(feature = "jwks")]
mod jwks;
#[cfg(not(feature = "jwks"))]
#[path = "jwks/disabled.rs"]
mod jwks;
mod key_source;
mod keyring;
mod policy;
mod principal;
mod secret;
mod service;
mod session_cache;
mod settings;
mod trust;
mod verifier;

#[cfg(test)]
mod tests;

use crate::error::Refusal;
pub use bearer::bearer;
pub use gate::{Gate, USER_ID_METADATA};
pub use issuer::{IssueError, IssuedToken, Profile, TokenIssuer};
pub use jwks::PublicKeySource;
pub use keyring::{BETTER_AUTH_SECRET, BETTER_AUTH_SECRETS, Keyring};
pub use policy::{JWT_AUDIENCE, JWT_ISSUER, TokenPolicy};
pub use principal::{InvalidUserId, Owner, OwnershipObserver, Principal, UserId};
pub use secret::{Secret, SecretFault};
pub use service::{InvalidServiceName, ServiceGate, ServicePrincipal, ServiceTokenIssuer};
pub use settings::{published_key_settings, token_settings, verifier_settings};
pub use trust::{TokenKind, Trust};
pub use verifier::TokenVerifier;
