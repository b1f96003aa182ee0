//! gRPC on its port: over HTTP/2, and as gRPC-Web for browsers.

use std::time::Duration;

use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};
use hyper::body::Incoming;
use shared::error::is_server_fault;
use tonic::{
    Code, Status,
    body::Body,
    codegen::http::{
        HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header::ORIGIN,
    },
    service::Routes,
};
use tonic_web::{GrpcWebLayer, GrpcWebService};
use tower::{Layer, ServiceExt};

use crate::{
    body::{
        request::RequestBody,
        streaming::{DrainWatches, is_public_watch},
    },
    layers::{
        cors::{self, Cors},
        protocol::{Protocol, RequestInfo},
        refused_calls::RefusedCalls,
    },
    settings::Settings,
};

/// Health needs no permit: a busy server is not dead, and treating it as dead would load the
/// others more.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// The services of the gRPC port.
#[derive(Clone)]
pub struct Grpc {
    services: GrpcWebService<DrainWatches<Routes>>,
    cors: Cors,
}

impl Grpc {
    /// `routes`, callable from pages as these settings say.
    pub fn new(routes: Routes, settings: &Settings) -> Self {
        let services = GrpcWebLayer::new().layer(DrainWatches(routes));
        Self { services, cors: Cors::grpc_web(settings) }
    }
}

impl Protocol for Grpc {
    fn respond_early(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        let spoken = speaks_grpc(request.headers()) || cors::is_preflight(request);
        (!spoken).then(unsupported)
    }

    fn needs_no_permit(&self, path: &str) -> bool {
        path.starts_with(HEALTH) && !is_public_watch(path)
    }

    fn is_public_stream(&self, path: &str) -> bool {
        is_public_watch(path)
    }

    fn requested_timeout(&self, request: &Request<Incoming>) -> Option<Duration> {
        grpc_timeout(request.headers())
    }

    fn respond(self, request: Request<RequestBody>) -> BoxFuture<'static, Response<Body>> {
        let origin = request.headers().get(ORIGIN).cloned();
        if request.method() == Method::OPTIONS {
            return ready(self.cors.preflight(origin.as_ref())).boxed();
        }
        let future = self.services.oneshot(request);
        future
            .map(move |result| {
                let mut response = match result {
                    Ok(response) => blame_caller(response),
                    Err(never) => match never {},
                };
                self.cors.allow_read(&mut response, origin.as_ref());
                response
            })
            .boxed()
    }

    fn refuse(&self, info: &RequestInfo, status: Status) -> Response<Body> {
        let mut response = status.into_http();
        self.cors.allow_read(&mut response, info.origin.as_ref());
        response
    }

    /// Server faults were logged with their cause where they arose; refusals and disconnects are
    /// information, and success is for debugging.
    fn log(response: &Response<Body>, elapsed_us: u64, refused: &RefusedCalls) {
        let code = response.headers().get("grpc-status");
        match code.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes())) {
            Code::Ok => tracing::debug!(elapsed.us = elapsed_us, "answered"),
            Code::DeadlineExceeded => tracing::warn!(elapsed.us = elapsed_us, "took too long"),
            code => {
                if let Some(unlogged) = refused.sample(code as u16) {
                    tracing::info!(
                        ?code,
                        elapsed.us = elapsed_us,
                        unlogged,
                        "not answered as asked"
                    );
                }
            }
        }
    }
}

/// Whether the content type is gRPC's (gRPC over HTTP/2, "Content-Type"; gRPC-Web, "Protocol
/// differences").
fn speaks_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get("content-type").map_or(&b""[..], HeaderValue::as_bytes);
    let kinds: [&[u8]; 3] =
        [b"application/grpc-web-text", b"application/grpc-web", b"application/grpc"];
    kinds
        .iter()
        .find_map(|kind| content_type.strip_prefix(*kind))
        .is_some_and(|rest| rest.is_empty() || rest[0] == b'+' || rest[0] == b';')
}

/// The response 415, as gRPC over HTTP/2 requires.
fn unsupported() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

/// Corrects the status of malformed frames, a client's fault for which tonic reports INTERNAL.
/// tonic leaves the status in the response's extensions, and a server fault is marked there.
fn blame_caller(mut response: Response<Body>) -> Response<Body> {
    let is_internal = response.extensions().get::<Status>().is_some_and(is_server_fault);
    let headers = response.headers_mut();
    if !is_internal && headers.get("grpc-status").is_some_and(|code| code == "13") {
        headers.insert("grpc-status", HeaderValue::from_static("3"));
    }
    response
}

/// `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2). A malformed one is
/// ignored, as the limit of the server holds anyway.
fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
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
    use shared::error::{Class, Classified, Kind, status};

    #[derive(Debug, thiserror::Error)]
    #[error("disk serial 42")]
    struct Sample(Kind);

    impl Classified for Sample {
        fn class(&self) -> Class {
            self.0.into()
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
    fn malformed_frames_are_the_clients_fault_and_server_faults_are_not() {
        let of_transport = Status::new(Code::Internal, "Missing request message.");
        // Whatever its words.
        let in_our_words = Status::new(Code::Internal, "internal error");
        for (response, code) in
            [(of_transport, "3"), (in_our_words, "3"), (status(&Sample(Kind::Internal)), "13")]
        {
            let message = response.message().to_owned();
            let response = blame_caller(response.into_http());
            assert_eq!(response.headers()["grpc-status"], code, "{message}");
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
            assert_eq!(grpc_timeout(&headers), timeout, "{text:?}");
        }
    }
}
