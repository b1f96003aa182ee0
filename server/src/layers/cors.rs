//! CORS: the pages that may call from a browser (Fetch, "CORS protocol").
//!
//! Origins are listed and compared by their parts: with credentials allowed, a bare wildcard or a
//! reflected origin would let any page act for its visitor.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};
use shared::{config::Setting, trusted_origin::TrustedOrigin};

use super::refused_origin::log_refused_origin;
use crate::settings::Settings;

shared::settings! {
    /// The setting of CORS beside the trusted origins.
    pub const SETTINGS: "Server";

    pub CORS_ALLOWED_HEADERS: AllowedHeaders = Setting::new("none", AllowedHeaders::parse),
        "further request headers that pages may send";
}

/// The time in seconds for which a browser may cache a preflight response.
const MAX_AGE: HeaderValue = HeaderValue::from_static("3600");

/// The request headers on which responses depend.
const VARIES: HeaderValue = HeaderValue::from_static(
    "origin, access-control-request-method, access-control-request-headers",
);

/// The request headers that pages may always send.
const ALLOWED_HEADERS: &str = "authorization,content-type,idempotency-key,if-match,if-none-match,last-event-id,\
     x-request-id,x-requested-with,x-user-id,x-grpc-web,x-user-agent,grpc-timeout,\
     traceparent,tracestate,baggage,sentry-trace";

/// The request headers that pages may send, as a list for browsers.
#[derive(Clone, Debug)]
pub struct AllowedHeaders(HeaderValue);

impl AllowedHeaders {
    /// Reads `CORS_ALLOWED_HEADERS`: names separated by commas, or `none`.
    fn parse(text: &str) -> Result<Self, String> {
        let text = if text == "none" { "" } else { text };
        let (mut allowed, mut faults) = (ALLOWED_HEADERS.to_owned(), Vec::new());
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        for (position, entry) in (1..).zip(entries) {
            // With credentials, `*` would not be a wildcard but a name.
            match HeaderName::from_bytes(entry.as_bytes()).ok().filter(|_| !entry.contains('*')) {
                Some(name) => allowed.extend([",", name.as_str()]),
                None => faults.push(position.to_string()),
            }
        }
        let list = HeaderValue::try_from(allowed).ok().filter(|_| faults.is_empty());
        list.map(Self).ok_or_else(|| {
            let faults = faults.join(", ");
            format!(
                "must be names such as `x-tenant, x-trace`, or `none`; not a name: entry {faults}"
            )
        })
    }
}

impl Default for AllowedHeaders {
    fn default() -> Self {
        CORS_ALLOWED_HEADERS.default()
    }
}

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
            allowed: settings.allowed_headers.0.clone(),
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
            allowed: settings.allowed_headers.0.clone(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_headers_is_read_whole_or_each_bad_entry_is_named() {
        let list = |text| AllowedHeaders::parse(text).map(|headers| headers.0);
        assert_eq!(list("none").expect("a list"), ALLOWED_HEADERS);
        let more = list("X-Tenant , x-trace,").expect("a list");
        assert_eq!(more, format!("{ALLOWED_HEADERS},x-tenant,x-trace"));
        for (text, positions) in [("*", "1"), ("x-*", "1"), ("x a, x-b, x:c, x-d,ü", "1, 3, 5")] {
            let fault = list(text).expect_err(text);
            assert!(fault.ends_with(&format!("not a name: entry {positions}")), "{text}: {fault}");
        }
    }
}
