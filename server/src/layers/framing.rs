//! The framing of requests: what intermediaries could read in two ways is refused (request
//! smuggling).

use tonic::{
    body::Body,
    codegen::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version},
};

/// Whether body and host of a request are unambiguous.
pub fn is_unambiguous<B>(request: &Request<B>) -> bool {
    has_known_framing(request.headers()) && names_one_host(request)
}

/// Whether the framing of the body is unambiguous for intermediaries (RFC 9112 section 6.1):
/// `chunked` is the only transfer coding supported.
fn has_known_framing(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all("transfer-encoding").iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(only), None) => only.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

/// Whether the request has exactly one `Host` in HTTP/1.1 (RFC 9112 section 3.2). HTTP/1.0 may
/// omit it, as health checks of balancers do, and HTTP/2 has a field of its own.
fn names_one_host<B>(request: &Request<B>) -> bool {
    let hosts = request.headers().get_all("host").iter().count();
    match request.version() {
        Version::HTTP_09 | Version::HTTP_10 => hosts <= 1,
        Version::HTTP_11 => hosts == 1,
        _ => true,
    }
}

/// The response that the parser gives to a malformed head.
pub fn bad_request() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert("connection", HeaderValue::from_static("close"));
    response
}
