//! CORS: the pages that may call from a browser (Fetch, "CORS protocol").
//!
//! Origins are listed one by one and compared whole: with credentials allowed, a wildcard or a
//! reflected origin would let any page act for its visitor.

use std::time::Duration;

use http::{
    HeaderName, HeaderValue, Method, Request, Response,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};
use shared::origin::Origin;
use tower_http::cors::{AllowCredentials, AllowOrigin, Cors, CorsLayer};

/// The time for which a browser may cache a preflight response.
const MAX_AGE: Duration = Duration::from_hours(1);

/// The request headers that pages may send.
const ALLOWED_HEADERS: [&str; 11] = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "x-request-id",
    "x-user-id",
    "x-grpc-web",
    "x-user-agent",
    "grpc-timeout",
];

/// The response headers that pages may read.
const EXPOSED_HTTP: [&str; 10] = [
    "set-auth-token",
    "set-auth-jwt",
    "link",
    "x-total-count",
    "etag",
    "location",
    "retry-after",
    "x-retry-after",
    "www-authenticate",
    "x-request-id",
];
const EXPOSED_GRPC: [&str; 4] =
    ["grpc-status", "grpc-message", "grpc-status-details-bin", "x-request-id"];

/// `service` of an HTTP port, for pages of these origins.
pub fn http<S>(service: S, trusted: &[Origin]) -> Cors<S> {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    layer(service, trusted, &methods, &EXPOSED_HTTP)
}

/// `service` of a gRPC port, for pages of these origins.
pub fn grpc_web<S>(service: S, trusted: &[Origin]) -> Cors<S> {
    layer(service, trusted, &[Method::POST], &EXPOSED_GRPC)
}

/// Whether the request is a CORS preflight.
pub fn is_preflight<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Adds CORS headers to a refusal that was made outside of [`http`] or [`grpc_web`].
pub fn allow_read<B>(response: &mut Response<B>, origin: Option<&HeaderValue>, trusted: &[Origin]) {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("origin"));
    let Some(origin) =
        origin.filter(|origin| trusted.iter().any(|known| *origin == known.as_str()))
    else {
        return;
    };
    let read = EXPOSED_HTTP.iter().chain(&EXPOSED_GRPC).copied().collect::<Vec<_>>().join(",");
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers
        .extend(HeaderValue::try_from(read).ok().map(|read| (ACCESS_CONTROL_EXPOSE_HEADERS, read)));
}

fn layer<S>(service: S, trusted: &[Origin], methods: &[Method], read: &[&'static str]) -> Cors<S> {
    let origins = trusted.iter().filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok());
    let origins: Vec<_> = origins.collect();
    let trusted = origins.clone();
    // Only for trusted origins: without an allowed origin it has no meaning.
    let credentials = AllowCredentials::predicate(move |origin, _| trusted.contains(origin));
    let names = |names: &[&'static str]| -> Vec<HeaderName> {
        names.iter().map(|name| HeaderName::from_static(name)).collect()
    };
    tower::Layer::layer(
        &CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_credentials(credentials)
            .allow_methods(methods.to_vec())
            .allow_headers(names(&ALLOWED_HEADERS))
            .expose_headers(names(read))
            .max_age(MAX_AGE),
        service,
    )
}
