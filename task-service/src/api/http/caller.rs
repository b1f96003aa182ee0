//! The caller of a route and the request head, extracted before the body is read.

use axum::extract::{FromRequestParts, RawPathParams};
use http::{HeaderMap, HeaderName, header::AUTHORIZATION, request::Parts};
use proto::members::Members;
use server::http::{NoParameters, Problem, json, preconditions::refuse_unsupported};
use shared::auth::Owner;
use tonic::{Request, metadata::MetadataMap};

use super::{
    Rpcs,
    preconditions::{NoPreconditions, Preconditions},
};

/// The headers that the gate checks. No other header may reach the rpcs.
const CREDENTIALS: [HeaderName; 2] = [AUTHORIZATION, HeaderName::from_static("x-user-id")];

/// An authenticated caller on a path of its own.
///
/// The rpc checks the same again with the same gate; checked here as well, an unauthorized body is
/// never read.
///
/// A route takes no query parameter and honours no precondition by default, and so refuses every
/// one by name.
pub struct Caller<Q = NoParameters, C = NoPreconditions> {
    /// The user in the path.
    pub user_id: String,
    /// The task in the path; empty if there is none.
    pub id: String,
    /// The proof that the path is the caller's.
    pub owner: Owner,
    /// The query parameters.
    pub query: Q,
    /// The preconditions that the route honours.
    pub preconditions: C,
    metadata: MetadataMap,
}

impl<Q, C> Caller<Q, C> {
    /// The call of an rpc with the caller's credential.
    pub fn call<M>(self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.metadata;
        request
    }
}

impl<Q: Members + Default, C: Preconditions> FromRequestParts<Rpcs> for Caller<Q, C> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, rpcs: &Rpcs) -> Result<Self, Problem> {
        let (mut user_id, mut id) = (String::new(), String::new());
        // A path that is not UTF-8 names no user, so it is refused.
        if let Ok(segments) = RawPathParams::from_request_parts(parts, rpcs).await {
            for (name, value) in &segments {
                match name {
                    "user_id" => value.clone_into(&mut user_id),
                    _ => value.clone_into(&mut id),
                }
            }
        }
        let owner = rpcs.gate.admit(&parts.headers)?.owning(&user_id)?;
        let query = json::query(parts.uri.query().unwrap_or_default())?;
        refuse_unsupported(&parts.method, &parts.headers, C::HONOURED).map_err(Problem::invalid)?;
        let preconditions =
            C::read(&parts.headers).map_err(|fault| Problem::invalid(vec![fault]))?;
        let mut credential = HeaderMap::with_capacity(CREDENTIALS.len());
        for name in CREDENTIALS {
            for value in parts.headers.get_all(&name) {
                credential.append(&name, value.clone());
            }
        }
        let metadata = MetadataMap::from_headers(credential);
        Ok(Self { user_id, id, owner, query, preconditions, metadata })
    }
}
