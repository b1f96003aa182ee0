//! Who asks: the first thing a route finds out, before it reads a query or a body.

use axum::extract::{FromRequestParts, RawPathParams};
use http::{HeaderMap, HeaderName, header::AUTHORIZATION, request::Parts};
use shared::{auth::Owner, http::Problem};
use tonic::{Request, metadata::MetadataMap};

use super::Rpcs;

/// Headers the gate looks at. No other header may reach the rpcs.
const CREDENTIALS: [HeaderName; 2] = [AUTHORIZATION, HeaderName::from_static("x-user-id")];

/// A caller with a valid token, on a path of its own.
///
/// The rpc asks the same again, of the same gate; asked here as well, a stranger learns
/// nothing about its body and we never read it.
pub struct Caller {
    /// The user the path names.
    pub user_id: String,
    /// The task the path names; empty where it names none.
    pub id: String,
    /// Proof that the path is the caller's.
    pub owner: Owner,
    metadata: MetadataMap,
}

impl Caller {
    /// The call of an rpc with the caller's credential.
    pub fn call<M>(self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.metadata;
        request
    }
}

impl FromRequestParts<Rpcs> for Caller {
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
        let mut credential = HeaderMap::with_capacity(CREDENTIALS.len());
        for name in CREDENTIALS {
            for value in parts.headers.get_all(&name) {
                credential.append(&name, value.clone());
            }
        }
        Ok(Self { user_id, id, owner, metadata: MetadataMap::from_headers(credential) })
    }
}
