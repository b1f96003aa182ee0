//! Routes on their way into a server.

use axum::{Router, response::Response};
use utoipa::openapi::OpenApi;

use super::Problem;

/// What a service answers over HTTP.
///
/// What surrounds every request comes from [`serve`](crate): limits of number, time
/// and size, a net for panics, request ids, CORS and security headers.
pub struct HttpRouter {
    /// Every path of this door begins with it.
    pub prefix: &'static str,
    /// The routes, with absolute paths.
    pub routes: Router,
    /// How this door words what is refused before a route is reached.
    pub refusal: fn(Problem) -> Response,
    /// What the routes promise, for `/openapi.json`: made when somebody asks, as most
    /// processes never are.
    pub api: Box<dyn Fn() -> OpenApi + Send + Sync>,
}
