//! The router of a service, to be added to a server.

use axum::{Router, response::Response};
use utoipa::openapi::OpenApi;

use super::{GuardedRoutes, Problem};

/// The HTTP routes of a service.
///
/// The call chain of the server adds limits of number, time and size, a panic guard, request ids,
/// CORS and security headers.
pub struct HttpRouter {
    /// The prefix of every path.
    pub prefix: &'static str,
    /// The routes, with absolute paths.
    pub routes: Router,
    /// The routes among them that take no call without a token.
    pub guarded: GuardedRoutes,
    /// The format of refusals by the call chain.
    pub refusal: fn(Problem) -> Response,
    /// The OpenAPI description, made on the first request for `/openapi.json`.
    pub api: Box<dyn Fn() -> OpenApi + Send + Sync>,
}
