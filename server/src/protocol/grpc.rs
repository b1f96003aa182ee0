//! gRPC on its port: over HTTP/2, and as gRPC-Web for browsers.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use hyper::body::Incoming;
use shared::{error::is_server_fault, origin::Origin};
use tonic::{
    Code, Status,
    body::Body,
    codegen::http::{HeaderMap, HeaderValue, Request, Response, StatusCode},
    service::Routes,
};
use tonic_web::{GrpcWebLayer, GrpcWebService};
use tower::{Layer, ServiceExt};
use tower_http::cors::Cors;

use crate::{
    body::{
        request::RequestBody,
        streaming::{Ending, is_public_watch},
    },
    layers::{
        call::{Protocol, RequestInfo},
        cors,
    },
};

/// Health is answered without a permit too: a server that is busy is not dead, and whoever
/// took it for dead would make the others busier.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// All services of the port.
#[derive(Clone)]
pub struct Grpc {
    services: Cors<GrpcWebService<Ending<Routes>>>,
    trusted: Arc<[Origin]>,
}

impl Grpc {
    /// `routes`, callable from pages of these origins.
    pub fn new(routes: Routes, trusted: &[Origin]) -> Self {
        let services = cors::grpc_web(GrpcWebLayer::new().layer(Ending(routes)), trusted);
        Self { services, trusted: trusted.into() }
    }
}

impl Protocol for Grpc {
    fn turn_away(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        let spoken = speaks_grpc(request.headers()) || cors::is_preflight(request);
        (!spoken).then(unsupported)
    }

    fn is_free(&self, path: &str) -> bool {
        path.starts_with(HEALTH) && !is_public_watch(path)
    }

    fn is_public_stream(&self, path: &str) -> bool {
        is_public_watch(path)
    }

    fn patience(&self, request: &Request<Incoming>) -> Option<Duration> {
        caller_timeout(request.headers())
    }

    fn answer(self, request: Request<RequestBody>) -> BoxFuture<'static, Response<Body>> {
        let answer = self.services.oneshot(request);
        answer
            .map(|answered| match answered {
                Ok(response) => blame_caller(response),
                Err(never) => match never {},
            })
            .boxed()
    }

    fn refuse(&self, asked: &RequestInfo, status: Status) -> Response<Body> {
        let mut response = status.into_http();
        cors::let_read(&mut response, asked.origin.as_ref(), &self.trusted);
        response
    }

    /// A fault of ours was logged with its cause where it arose; what is left are refusals
    /// and callers that hang up, which are information. Success is only worth a line to
    /// somebody who looks for it.
    fn log(response: &Response<Body>, elapsed_us: u64) {
        let code = response.headers().get("grpc-status");
        match code.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes())) {
            Code::Ok => tracing::debug!(elapsed.us = elapsed_us, "answered"),
            Code::DeadlineExceeded => tracing::warn!(elapsed.us = elapsed_us, "took too long"),
            code => tracing::info!(?code, elapsed.us = elapsed_us, "not answered as asked"),
        }
    }
}

/// Whether the body is what gRPC says it is (gRPC over HTTP/2, "Content-Type"; gRPC-Web,
/// "Protocol differences").
fn speaks_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get("content-type").map_or(&b""[..], HeaderValue::as_bytes);
    let kinds: [&[u8]; 3] =
        [b"application/grpc-web-text", b"application/grpc-web", b"application/grpc"];
    kinds
        .iter()
        .find_map(|kind| content_type.strip_prefix(*kind))
        .is_some_and(|rest| rest.is_empty() || rest[0] == b'+' || rest[0] == b';')
}

/// HTTP 415, as gRPC over HTTP/2 asks for.
fn unsupported() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

/// tonic says INTERNAL of frames it cannot read; that is the caller's doing. tonic leaves the
/// status with the response, and the status of a fault of ours knows that it is one.
fn blame_caller(mut response: Response<Body>) -> Response<Body> {
    let is_ours = response.extensions().get::<Status>().is_some_and(is_server_fault);
    let headers = response.headers_mut();
    if !is_ours && headers.get("grpc-status").is_some_and(|code| code == "13") {
        headers.insert("grpc-status", HeaderValue::from_static("3"));
    }
    response
}

/// `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2). A malformed one is
/// ignored, as the limit of the server holds anyway.
fn caller_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout").map(HeaderValue::to_str)?.ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::error::{Classified, Kind, status};

    #[derive(Debug, thiserror::Error)]
    #[error("disk serial 42")]
    struct Sample(Kind);

    impl Classified for Sample {
        fn kind(&self) -> Kind {
            self.0
        }
    }

    #[test]
    fn only_grpc_is_spoken_here() {
        for (content_type, is_grpc) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc-web", true),
            ("application/grpc-web+proto", true),
            ("application/grpc-web-text+proto", true),
            ("application/grpc-websocket", false),
            ("application/json", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_str(content_type).expect("a header value");
            headers.insert("content-type", value);
            assert_eq!(speaks_grpc(&headers), is_grpc, "{content_type:?}");
        }
        assert!(!speaks_grpc(&HeaderMap::new()));
    }

    #[test]
    fn frames_that_cannot_be_read_are_the_callers_fault_and_faults_of_ours_are_not() {
        let of_transport = Status::new(Code::Internal, "Missing request message.");
        // Whatever its words.
        let in_our_words = Status::new(Code::Internal, "internal error");
        for (told, code) in
            [(of_transport, "3"), (in_our_words, "3"), (status(&Sample(Kind::Internal)), "13")]
        {
            let message = told.message().to_owned();
            let told = blame_caller(told.into_http());
            assert_eq!(told.headers()["grpc-status"], code, "{message}");
        }
    }

    #[test]
    fn the_callers_timeout_is_read_as_the_protocol_spells_it() {
        for (text, timeout) in [
            ("3S", Some(Duration::from_secs(3))),
            ("250m", Some(Duration::from_millis(250))),
            ("1H", Some(Duration::from_hours(1))),
            ("99999999M", Some(Duration::from_mins(99_999_999))),
            ("100000000S", None),
            ("", None),
            ("S", None),
            ("3", None),
            ("3s", None),
            ("-3S", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", HeaderValue::from_str(text).expect("a header value"));
            assert_eq!(caller_timeout(&headers), timeout, "{text:?}");
        }
    }
}
