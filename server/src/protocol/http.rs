//! JSON over HTTP on its port: the routers of the services, health, and their documentation.

use std::sync::Arc;

use axum::{Router, response::IntoResponse};
use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};
use http::{
    HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, ORIGIN, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use hyper::body::Incoming;
use tonic::{Status, body::Body};
use tower::ServiceExt;

use crate::{
    body::{
        request::RequestBody,
        streaming::{STREAMED, StreamKind, until_draining},
    },
    health::Readiness,
    http::{GuardedRoutes, HttpRouter, Problem, docs, json},
    layers::{
        cors::{self, Cors},
        protocol::{Protocol, RequestInfo},
        refused_calls::{AlreadyLogged, RefusedCalls},
    },
    settings::Settings,
};

/// The paths of the readiness check.
const READY: [&str; 2] = ["/health", "/readyz"];

/// The path of the liveness check, which fails only where a restart would help.
const LIVE: &str = "/livez";

/// The prefix of paths with users' data.
const PRIVATE_PREFIX: &str = "/api/";

/// Security headers: responses are data, so nothing in them may run, be framed, or be taken for
/// another type.
const SECURITY: [(HeaderName, HeaderValue); 3] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
];

/// The part of a router that its refusals need.
struct Refusals {
    prefix: &'static str,
    guarded: GuardedRoutes,
    format: fn(Problem) -> axum::response::Response,
}

/// The routers of the HTTP port.
#[derive(Clone)]
pub struct Http {
    routes: Router,
    refusals: Arc<[Refusals]>,
    cors: Cors,
    readiness: Readiness,
}

impl Http {
    /// `routers`, open to pages as these settings say.
    pub fn new(routers: Vec<HttpRouter>, readiness: Readiness, settings: &Settings) -> Self {
        let (mut apis, mut refusals, mut merged) = (Vec::new(), Vec::new(), Router::new());
        for HttpRouter { prefix, routes, guarded, refusal, api } in routers {
            apis.push(api);
            refusals.push(Refusals { prefix, guarded, format: refusal });
            merged = merged.merge(routes);
        }
        let merged = docs::routes(apis)
            .method_not_allowed_fallback(async || Problem::method_not_allowed())
            .fallback(async || Problem::no_such_route())
            .merge(merged);
        Self { routes: merged, refusals: refusals.into(), cors: Cors::http(settings), readiness }
    }

    /// The refusals of the router with the longest prefix of `path`.
    fn refusals(&self, path: &str) -> Option<&Refusals> {
        let routers = self.refusals.iter().filter(|of| path.starts_with(of.prefix));
        routers.max_by_key(|of| of.prefix.len())
    }

    /// The response to a health check.
    fn check_health(&self, request: &Request<Incoming>) -> Option<axum::response::Response> {
        let path = request.uri().path();
        if !(path == LIVE || READY.contains(&path)) || cors::is_preflight(request) {
            return None;
        }
        Some(match *request.method() {
            Method::GET | Method::HEAD => health(path == LIVE || self.readiness.is_ready()),
            _ => {
                let mut refusal = Problem::method_not_allowed().into_response();
                refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,HEAD"));
                refusal
            }
        })
    }
}

impl Protocol for Http {
    /// Health checks, since a server that has no permit left is not to be restarted; and calls
    /// without a token.
    fn respond_early(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        let path = request.uri().path();
        let mut response =
            self.check_health(request).or_else(|| self.refusals(path)?.guarded.refuse(request))?;
        self.cors.allow_read(&mut response, request.headers().get(ORIGIN));
        secure(&mut response, path.starts_with(PRIVATE_PREFIX));
        Some(response.map(Body::new))
    }

    fn respond(self, request: Request<RequestBody>) -> BoxFuture<'static, Response<Body>> {
        let is_private = request.uri().path().starts_with(PRIVATE_PREFIX);
        let origin = request.headers().get(ORIGIN).cloned();
        if cors::is_preflight(&request) {
            let mut response = self.cors.preflight(origin.as_ref());
            secure(&mut response, is_private);
            return ready(response).boxed();
        }
        let is_options = request.method() == Method::OPTIONS;
        let draining = request.extensions().get().cloned();
        let request = request.map(axum::body::Body::new);
        async move {
            let mut response = match self.routes.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            if !is_options {
                self.cors.allow_read(&mut response, origin.as_ref());
            }
            secure(&mut response, is_private);
            until_draining(response, draining, None).map(Body::new)
        }
        .boxed()
    }

    fn refuse(&self, info: &RequestInfo, status: Status) -> Response<Body> {
        let problem = Problem::from(status);
        let mut response = match self.refusals(info.path()) {
            Some(refusals) => (refusals.format)(problem),
            None => problem.into_response(),
        };
        secure(&mut response, true);
        self.cors.allow_read(&mut response, info.origin.as_ref());
        response.map(Body::new)
    }

    /// As on the gRPC port: refusals are information, timeouts a warning.
    fn log(response: &Response<Body>, elapsed_us: u64, refused: &RefusedCalls) {
        let status = response.status().as_u16();
        match response.status() {
            StatusCode::SERVICE_UNAVAILABLE => {
                tracing::warn!(status, elapsed.us = elapsed_us, "unavailable");
            }
            code if code.is_client_error() || code.is_server_error() => {
                if let Some(unlogged) = refused.sample(status) {
                    tracing::info!(
                        status,
                        elapsed.us = elapsed_us,
                        unlogged,
                        "not answered as asked"
                    );
                }
            }
            _ => tracing::debug!(status, elapsed.us = elapsed_us, "answered"),
        }
    }
}

fn secure<B>(response: &mut Response<B>, is_private: bool) {
    let is_streamed = response.extensions().get::<StreamKind>().is_some();
    let headers = response.headers_mut();
    for (name, value) in &SECURITY {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if is_streamed {
        headers.insert(CACHE_CONTROL, STREAMED);
    } else if is_private {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

fn health(is_well: bool) -> axum::response::Response {
    let (status, text) = if is_well {
        (StatusCode::OK, r#"{"status":"SERVING"}"#)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"NOT_SERVING"}"#)
    };
    let mut answer = json::written(status, text);
    // Readiness logs its changes; a line for each check of a balancer would add nothing.
    answer.extensions_mut().insert(AlreadyLogged);
    answer
}
