//! The interface between the call chain and the protocol of a port.

use std::time::Duration;

use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use tonic::{
    Status,
    body::Body,
    codegen::http::{HeaderValue, Request, Response, Uri, header::ORIGIN},
};

use super::refused_calls::RefusedCalls;
use crate::body::request::RequestBody;

/// The protocol of a port.
pub trait Protocol: Clone + Send + Sync + 'static {
    /// The response to a request that needs no admission: a refusal, or that to a health check.
    fn respond_early(&self, _request: &Request<Incoming>) -> Option<Response<Body>> {
        None
    }

    /// Whether the call needs no permit.
    fn needs_no_permit(&self, _path: &str) -> bool {
        false
    }

    /// Whether the call opens a stream without a token.
    fn is_public_stream(&self, _path: &str) -> bool {
        false
    }

    /// The deadline that the client requests.
    fn requested_timeout(&self, _request: &Request<Incoming>) -> Option<Duration> {
        None
    }

    /// The response of the service.
    fn respond(self, request: Request<RequestBody>) -> BoxFuture<'static, Response<Body>>;

    /// A refusal in the format of this protocol, with CORS headers for the requesting page.
    fn refuse(&self, info: &RequestInfo, status: Status) -> Response<Body>;

    /// Logs a response; refusals by samples of `refused`.
    fn log(response: &Response<Body>, elapsed_us: u64, refused: &RefusedCalls);
}

/// The parts of a request that its refusal needs.
pub struct RequestInfo {
    uri: Uri,
    /// The origin of the page that sent the request.
    pub origin: Option<HeaderValue>,
}

impl RequestInfo {
    /// The parts of `request`.
    pub fn of<B>(request: &Request<B>) -> Self {
        Self { uri: request.uri().clone(), origin: request.headers().get(ORIGIN).cloned() }
    }

    /// The path.
    pub fn path(&self) -> &str {
        self.uri.path()
    }
}
