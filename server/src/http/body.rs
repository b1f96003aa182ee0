//! HTTP request bodies, within limits of type, size and time.

use std::{error::Error, time::Duration};

use axum::body::Body;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Bytes;
use shared::error::Kind;
use tonic::Status;

use super::{Problem, byte_order_mark::without_byte_order_mark};
use crate::admission::limits::MAX_REQUEST_BYTES;

/// The time limit for a body. Below the default `REQUEST_TIMEOUT`, so that a slow client gets
/// this error.
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(4);

/// The body of a JSON request.
pub async fn json(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    json_up_to(headers, body, MAX_REQUEST_BYTES).await
}

/// The body of a JSON request with a size limit of its own, such as
/// [`MAX_BATCH_BYTES`](crate::admission::limits::MAX_BATCH_BYTES).
pub async fn json_up_to(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    if !is_json(headers) {
        return Err(not_json());
    }
    read_body_up_to(headers, body, limit).await.map(|bytes| json_text(&bytes))
}

/// The body of a JSON request, or `None` where it is absent or `null`.
pub async fn optional_json(headers: &HeaderMap, body: Body) -> Result<Option<Bytes>, Problem> {
    let bytes = read_body(headers, body).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if !is_json(headers) {
        return Err(not_json());
    }
    Ok(Some(json_text(&bytes)).filter(|text| text.trim_ascii() != b"null"))
}

fn json_text(bytes: &Bytes) -> Bytes {
    let mark = bytes.len() - without_byte_order_mark(bytes).len();
    bytes.slice(mark..)
}

/// The whole body, of any type.
///
/// Refuses more than [`MAX_REQUEST_BYTES`] (413) and a body that is not complete in four seconds
/// (408).
pub async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    read_body_up_to(headers, body, MAX_REQUEST_BYTES).await
}

async fn read_body_up_to(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    check_announced(headers, limit)?;
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await {
        Ok(Ok(bytes)) => Ok(bytes.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(error)) => Err(broken(&*error)),
        Err(_elapsed) => Err(too_slow("The body did not arrive in time")),
    }
}

/// Refuses an announced length beyond the limit, before anything is read.
pub(super) fn check_announced(headers: &HeaderMap, limit: usize) -> Result<(), Problem> {
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large(limit));
    }
    Ok(())
}

/// The problem of a body that failed before its end.
pub(super) fn broken(error: &(dyn Error + 'static)) -> Problem {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // A refusal by the call chain (see `layers`).
        if let Some(status) = error.downcast_ref::<Status>() {
            return status.clone().into();
        }
        cause = error.source();
    }
    let message = "The body ended before it was complete";
    Problem::new(StatusCode::BAD_REQUEST, "INCOMPLETE_BODY", message)
}

fn not_json() -> Problem {
    other_type("The body must be JSON, sent as `content-type: application/json`")
}

pub(super) fn other_type(message: &'static str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
}

pub(super) fn too_slow(message: &'static str) -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message)
}

fn too_large(limit: usize) -> Problem {
    too_long(format!("The body must have at most {limit} bytes"))
}

pub(super) fn too_long(message: String) -> Problem {
    Problem::of(Kind::TooLarge, message)
}

fn is_json(headers: &HeaderMap) -> bool {
    is_of(headers, &["application/json"])
}

/// Whether the body has exactly one type, one of `types`, perhaps with the only charset of JSON
/// (RFC 8259 section 8.1), and no encoding.
pub(super) fn is_of(headers: &HeaderMap, types: &[&str]) -> bool {
    let mut given = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (given.next(), given.next()) else { return false };
    let text = only.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let is_known = parts.next().is_some_and(|kind| types.contains(&kind));
    let is_utf8 = parts.all(|part| matches!(part, "" | "charset=utf-8" | "charset=\"utf-8\""));
    let encoding = headers.get(CONTENT_ENCODING).map_or(&b"identity"[..], HeaderValue::as_bytes);
    is_known && is_utf8 && encoding.eq_ignore_ascii_case(b"identity")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::limits::MAX_BATCH_BYTES;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("a header value"));
        }
        headers
    }

    #[test]
    fn json_is_what_says_so_once_and_plainly() {
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert!(is_json(&headers(&[("content-type", good)])), "{good}");
        }
        for bad in
            ["text/plain", "application/jsonp", "application/json; charset=latin1", "", "json"]
        {
            assert!(!is_json(&headers(&[("content-type", bad)])), "{bad}");
        }
        let json = ("content-type", "application/json");
        assert!(!is_json(&headers(&[json, json])));
        assert!(!is_json(&headers(&[json, ("content-encoding", "gzip")])));
        assert!(!is_json(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_body_has_a_limit_whether_it_is_announced_or_not() {
        let fitting = vec![b' '; MAX_REQUEST_BYTES];
        let read = read_body(&HeaderMap::new(), Body::from(fitting.clone())).await;
        assert_eq!(read.expect("a body").len(), MAX_REQUEST_BYTES);
        let large = [&fitting[..], b" "].concat();
        let read = read_body(&HeaderMap::new(), Body::from(large)).await;
        assert_eq!(read.expect_err("too large").status, StatusCode::PAYLOAD_TOO_LARGE);
        let json = headers(&[("content-type", "application/json")]);
        let batch = vec![b' '; MAX_BATCH_BYTES];
        let read = json_up_to(&json, Body::from(batch.clone()), MAX_BATCH_BYTES).await;
        assert_eq!(read.expect("a body").len(), MAX_BATCH_BYTES);
        let larger = [&batch[..], b" "].concat();
        let read = json_up_to(&json, Body::from(larger), MAX_BATCH_BYTES).await;
        assert_eq!(
            read.expect_err("too large").message,
            "The body must have at most 1048576 bytes"
        );
        let announced = headers(&[("content-length", "65537")]);
        let read = read_body(&announced, Body::empty()).await;
        assert_eq!(read.expect_err("too large").status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_no_part_of_the_text() {
        let headers = headers(&[("content-type", "application/json")]);
        for (body, text) in [("\u{feff}{}", "{}"), ("{}", "{}"), ("\u{feff}", "")] {
            assert_eq!(json(&headers, Body::from(body)).await.expect("a body"), text);
            let optional = optional_json(&headers, Body::from(body)).await.expect("a body");
            assert_eq!(optional.expect("a text"), text);
        }
        let null = optional_json(&headers, Body::from("\u{feff} null")).await;
        assert_eq!(null.expect("a body"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let never = Body::new(http_body_util::StreamBody::new(futures_util::stream::pending::<
            Result<hyper::body::Frame<Bytes>, std::io::Error>,
        >()));
        let read = read_body(&HeaderMap::new(), never).await;
        assert_eq!(read.expect_err("too slow").status, StatusCode::REQUEST_TIMEOUT);
    }
}
