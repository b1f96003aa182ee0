//! CORS: the pages that may call from a browser (Fetch, "CORS protocol").
//!
//! Origins are listed and compared by their parts: with credentials allowed, a bare wildcard or a
//! reflected origin would let any page act for its visitor.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderValue, Method, Request, Response,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};
use shared::trusted_origin::TrustedOrigin;

use super::refused_origin::log_refused_origin;
use crate::settings::Settings;

/// The time in seconds for which a browser may cache a preflight response.
const MAX_AGE: HeaderValue = HeaderValue::from_static("3600");

/// The request headers on which responses depend.
const VARIES: HeaderValue = HeaderValue::from_static(
    "origin, access-control-request-method, access-control-request-headers",
);

/// The CORS headers of a port, for pages of the trusted origins.
#[derive(Clone)]
pub struct Cors {
    trusted: Arc<[TrustedOrigin]>,
    /// The request headers that pages may send.
    allowed: HeaderValue,
    /// The methods that pages may use.
    methods: HeaderValue,
    /// The response headers that pages may read.
    exposed: HeaderValue,
}

impl Cors {
    /// The headers of an HTTP port.
    pub fn http(settings: &Settings) -> Self {
        Self {
            trusted: settings.trusted_origins.as_slice().into(),
            allowed: settings.allowed_headers.list(),
            methods: HeaderValue::from_static("GET,POST,PUT,PATCH,DELETE"),
            exposed: HeaderValue::from_static(
                "set-auth-token,set-auth-jwt,link,x-total-count,etag,location,retry-after,\
                 x-retry-after,www-authenticate,x-request-id",
            ),
        }
    }

    /// The headers of a gRPC port.
    pub fn grpc_web(settings: &Settings) -> Self {
        Self {
            trusted: settings.trusted_origins.as_slice().into(),
            allowed: settings.allowed_headers.list(),
            methods: HeaderValue::from_static("POST"),
            exposed: HeaderValue::from_static(
                "grpc-status,grpc-message,grpc-status-details-bin,x-request-id",
            ),
        }
    }

    /// The response to a preflight from a page of `origin`.
    pub fn preflight<B: Default>(&self, origin: Option<&HeaderValue>) -> Response<B> {
        let mut response = Response::new(B::default());
        let headers = response.headers_mut();
        if !self.allow(headers, origin)
            && let Some(origin) = origin
        {
            log_refused_origin(origin);
        }
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.allowed.clone());
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        response
    }

    /// Lets a page of `origin` read `response`.
    pub fn allow_read<B>(&self, response: &mut Response<B>, origin: Option<&HeaderValue>) {
        let headers = response.headers_mut();
        self.allow(headers, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed.clone());
    }

    /// Allows `origin`, with credentials, if it is trusted; returns whether it is.
    fn allow(&self, headers: &mut HeaderMap, origin: Option<&HeaderValue>) -> bool {
        // The routes may name others.
        headers.append(VARY, VARIES);
        let is_trusted = |text: &str| self.trusted.iter().any(|trusted| trusted.is(text));
        let allowed = origin.filter(|origin| origin.to_str().is_ok_and(is_trusted));
        if let Some(origin) = allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        allowed.is_some()
    }
}

/// Whether the request is a CORS preflight.
pub fn is_preflight<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
