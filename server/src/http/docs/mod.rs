//! The documentation of the routers: `/openapi.json`, and `/docs` for browsers.
//!
//! The page is written here: it loads nothing from other hosts, and is smaller than ready-made
//! ones, which exceed the rest of the binary.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
};
use hyper::body::Bytes;
use utoipa::openapi::{Info, OpenApi, Paths};

/// The OpenAPI description of a router.
pub type Api = Box<dyn Fn() -> OpenApi + Send + Sync>;

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A content security policy for the page: its own two files and calls to this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// The routes of the documentation.
pub fn routes(apis: Vec<Api>) -> Router {
    let document = Arc::new(LazyLock::new(move || document(&apis)));
    let document = async move || match &**document {
        Some(text) => file("application/json", text.clone()), // which copies nothing
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    Router::new()
        .route("/openapi.json", get(document))
        .route("/docs", get(async || page()))
        .route("/docs/page.css", get(async || file("text/css; charset=utf-8", STYLE)))
        .route("/docs/page.js", get(async || file("text/javascript; charset=utf-8", SCRIPT)))
}

/// The merged document of `apis`.
fn document(apis: &[Api]) -> Option<Bytes> {
    let mut info = Info::new("Auth and tasks", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Accounts and sessions on Better Auth's wire, and each user's own tasks. Sign in under \
         `/api/auth`, then send the access token as `Authorization: Bearer <token>`."
            .to_owned(),
    );
    let mut document = OpenApi::new(info, Paths::new());
    for api in apis {
        document.merge(api());
    }
    let text = document.to_json();
    text.inspect_err(|error| tracing::error!(%error, "cannot write the document"))
        .ok()
        .map(Bytes::from)
}

fn page() -> Response {
    let mut response = file("text/html; charset=utf-8", HTML);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn file(content_type: &'static str, text: impl Into<axum::body::Body>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text.into()).into_response()
}
