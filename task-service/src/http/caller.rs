//! Who asks, and what the head of the request says: the first things a route finds out,
//! before it reads a body.

use axum::extract::{FromRequestParts, RawPathParams};
use http::{HeaderMap, HeaderName, header::AUTHORIZATION, request::Parts};
use serde::de::DeserializeOwned;
use server::http::{NoParameters, Problem, json, preconditions::refuse_unsupported};
use shared::auth::Owner;
use tonic::{Request, metadata::MetadataMap};

use super::{
    Rpcs,
    conditions::{Conditions, Unconditional},
};

/// Headers the gate looks at. No other header may reach the rpcs.
const CREDENTIALS: [HeaderName; 2] = [AUTHORIZATION, HeaderName::from_static("x-user-id")];

/// A caller with a valid token, on a path of its own.
///
/// The rpc asks the same again, of the same gate; asked here as well, a stranger learns
/// nothing about its body and we never read it.
///
/// A route that does not say otherwise takes no query parameter and honours no
/// precondition, and so refuses every one by name.
pub struct Caller<Q = NoParameters, C = Unconditional> {
    /// The user the path names.
    pub user_id: String,
    /// The task the path names; empty where it names none.
    pub id: String,
    /// Proof that the path is the caller's.
    pub owner: Owner,
    /// What the query asks for.
    pub query: Q,
    /// The preconditions that the route honours.
    pub conditions: C,
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

impl<Q: DeserializeOwned, C: Conditions> FromRequestParts<Rpcs> for Caller<Q, C> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, rpcs: &Rpcs) -> Result<Self, Problem> {
        let (mut user_id, mut id) = (String::new(), String::new());
        // A path that is no UTF-8 names nobody, and so is not the caller's.
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
        let conditions = C::read(&parts.headers).map_err(|fault| Problem::invalid(vec![fault]))?;
        let mut credential = HeaderMap::with_capacity(CREDENTIALS.len());
        for name in CREDENTIALS {
            for value in parts.headers.get_all(&name) {
                credential.append(&name, value.clone());
            }
        }
        let metadata = MetadataMap::from_headers(credential);
        Ok(Self { user_id, id, owner, query, conditions, metadata })
    }
}
