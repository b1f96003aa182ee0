//! The caller of a route and the request head, extracted before the body is read; and the calls of
//! rpcs in their name.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use prost::Message;
use proto::members::Members;
use server::{
    MAX_REQUEST_BYTES,
    http::{NoParameters, Problem, json, preconditions::refuse_unsupported},
};
use shared::{
    auth::{Owner, Principal},
    error::Kind,
};
use tonic::Request;

use super::{
    Guarded,
    preconditions::{NoPreconditions, Preconditions},
};

/// An authenticated caller on a path of its own. Only the gate makes one, from the head of a
/// request: an unauthorized body is never read.
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
    principal: Principal,
}

impl<Q, C> Caller<Q, C> {
    /// The call of an rpc as the caller, with nothing of the request but `message`.
    pub fn call<M: Message>(&self, message: M) -> Result<Request<M>, Problem> {
        self.call_up_to(message, MAX_REQUEST_BYTES)
    }

    /// The call of an rpc that takes messages up to `limit`, which is that of the gRPC port.
    pub fn call_up_to<M: Message>(&self, message: M, limit: usize) -> Result<Request<M>, Problem> {
        if message.encoded_len() > limit {
            let sentence = format!("The message must have at most {limit} bytes");
            return Err(Problem::of(Kind::TooLarge, sentence));
        }
        let mut request = Request::new(message);
        request.extensions_mut().insert(self.principal.clone());
        Ok(request)
    }
}

impl<Q: Members + Default, C: Preconditions> FromRequestParts<Guarded> for Caller<Q, C> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, guarded: &Guarded) -> Result<Self, Problem> {
        let (mut user_id, mut id) = (String::new(), String::new());
        // A path that is not UTF-8 names no user, so it is refused.
        if let Ok(segments) = RawPathParams::from_request_parts(parts, guarded).await {
            for (name, value) in &segments {
                match name {
                    "user_id" => value.clone_into(&mut user_id),
                    _ => value.clone_into(&mut id),
                }
            }
        }
        let principal = guarded.gate.admit(&parts.headers)?;
        let owner = principal.owning(&user_id)?;
        let query = json::query(parts.uri.query().unwrap_or_default())?;
        refuse_unsupported(&parts.method, &parts.headers, C::HONOURED).map_err(Problem::invalid)?;
        let preconditions =
            C::read(&parts.headers).map_err(|fault| Problem::invalid(vec![fault]))?;
        Ok(Self { user_id, id, owner, query, preconditions, principal })
    }
}
