//! JSON over HTTP on its port: the routers of the services, health, and their documentation.

use std::sync::Arc;

use axum::{Router, response::IntoResponse, routing::get};
use futures_util::{FutureExt, future::BoxFuture};
use http::{
    HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
};
use shared::origin::Origin;
use tonic::{Status, body::Body};
use tower::ServiceExt;
use tower_http::cors::Cors;

use crate::{
    body::{
        request::RequestBody,
        streaming::{StreamKind, until_draining},
    },
    health::Readiness,
    http::{HttpRouter, Problem, docs, json},
    layers::{
        call::{AlreadyLogged, Protocol, RequestInfo},
        cors,
    },
};

/// Whether this replica should get requests.
const HEALTH: &str = "/health";
const READY: &str = "/readyz";

/// Whether this process works at all, whatever it needs: if not, only a new one helps.
const LIVE: &str = "/livez";

/// What is under it belongs to somebody.
const PERSONAL: &str = "/api/";

/// Headers that make a browser trust an answer with nothing. ResponseBodies are data, so nothing
/// in them may run, be framed, or be taken for another type.
const SECURITY: [(HeaderName, HeaderValue); 3] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
];

/// How a door words what is refused before a route is reached.
type Refusal = fn(Problem) -> axum::response::Response;

/// All routers of the port.
#[derive(Clone)]
pub struct Http {
    routes: Router,
    for_browsers: Cors<Router>,
    refusals: Arc<[(&'static str, Refusal)]>,
    trusted: Arc<[Origin]>,
}

impl Http {
    /// `routers`, open to pages of these origins.
    pub fn new(routers: Vec<HttpRouter>, readiness: Readiness, trusted: &[Origin]) -> Self {
        let refusals = routers.iter().map(|door| (door.prefix, door.refusal)).collect();
        let health = async move || health(readiness.is_ready());
        let (apis, routes): (Vec<_>, Vec<_>) =
            routers.into_iter().map(|door| (door.api, door.routes)).unzip();
        let mut site = docs::routes(apis)
            .route(HEALTH, get(health.clone()))
            .route(READY, get(health))
            .route(LIVE, get(async || self::health(true)))
            .method_not_allowed_fallback(async || Problem::method_not_allowed())
            .fallback(async || Problem::no_such_route());
        for door in routes {
            site = site.merge(door);
        }
        let for_browsers = cors::http(site.clone(), trusted);
        Self { for_browsers, routes: site, refusals, trusted: trusted.into() }
    }
}

impl Protocol for Http {
    fn is_free(&self, path: &str) -> bool {
        [HEALTH, READY, LIVE].contains(&path)
    }

    fn answer(self, request: Request<RequestBody>) -> BoxFuture<'static, Response<Body>> {
        let is_personal = request.uri().path().starts_with(PERSONAL);
        let is_options = request.method() == http::Method::OPTIONS;
        let departing = request.extensions().get().cloned();
        let request = request.map(axum::body::Body::new);
        async move {
            // Any OPTIONS counts as a preflight there; one that is none is the routes' own.
            let answered = if is_options && !cors::is_preflight(&request) {
                self.routes.oneshot(request).await
            } else {
                self.for_browsers.oneshot(request).await
            };
            let mut response = match answered {
                Ok(response) => response,
                Err(never) => match never {},
            };
            secure(&mut response, is_personal);
            until_draining(response, departing, None).map(Body::new)
        }
        .boxed()
    }

    fn refuse(&self, asked: &RequestInfo, status: Status) -> Response<Body> {
        let routers = self.refusals.iter().filter(|(prefix, _)| asked.path.starts_with(prefix));
        let door = routers.max_by_key(|(prefix, _)| prefix.len());
        let refusal = door.map_or(Problem::into_response as Refusal, |(_, refusal)| *refusal);
        let mut response = refusal(Problem::from(status));
        secure(&mut response, true);
        cors::let_read(&mut response, asked.origin.as_ref(), &self.trusted);
        response.map(Body::new)
    }

    /// As on the gRPC port: what was refused is information, what took too long a warning.
    fn log(response: &Response<Body>, elapsed_us: u64) {
        let status = response.status().as_u16();
        match response.status() {
            StatusCode::SERVICE_UNAVAILABLE => {
                tracing::warn!(status, elapsed.us = elapsed_us, "unavailable");
            }
            code if code.is_client_error() || code.is_server_error() => {
                tracing::info!(status, elapsed.us = elapsed_us, "not answered as asked");
            }
            _ => tracing::debug!(status, elapsed.us = elapsed_us, "answered"),
        }
    }
}

/// What may stand between here and a browser: it must pass each piece of a stream on as it
/// comes, and not gather them to make them shorter.
const STREAMED: HeaderValue = HeaderValue::from_static("no-store, no-transform");

fn secure<B>(response: &mut Response<B>, is_personal: bool) {
    let is_streamed = response.extensions().get::<StreamKind>().is_some();
    let headers = response.headers_mut();
    for (name, value) in &SECURITY {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if is_streamed {
        headers.insert(CACHE_CONTROL, STREAMED);
    } else if is_personal {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

fn health(is_well: bool) -> axum::response::Response {
    let (status, word) = if is_well {
        (StatusCode::OK, "SERVING")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "NOT_SERVING")
    };
    let mut answer = json::answer(status, &serde_json::json!({ "status": word }));
    // Readiness logs why it changes; a balancer that asks every second adds nothing to that.
    answer.extensions_mut().insert(AlreadyLogged);
    answer
}
