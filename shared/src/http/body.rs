//! Bodies of requests, within limits of type, size and time.

use std::{error::Error, time::Duration};

use axum::body::Body;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Bytes;
use tonic::Status;

use super::Problem;
use crate::serve::MAX_REQUEST_BYTES;

/// How long a caller may take to send a body. Below the default `REQUEST_TIMEOUT`, so that
/// who is slow is told so.
const PATIENCE: Duration = Duration::from_secs(4);

/// The whole body of a request that says it is JSON.
pub async fn json(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    if is_json(headers) { whole(headers, body).await } else { Err(not_json()) }
}

/// The same, or `None` where there is no body, or one that is `null`.
pub async fn optional_json(headers: &HeaderMap, body: Body) -> Result<Option<Bytes>, Problem> {
    let whole = whole(headers, body).await?;
    if whole.is_empty() {
        return Ok(None);
    }
    if !is_json(headers) {
        return Err(not_json());
    }
    Ok(Some(whole).filter(|whole| whole.trim_ascii() != b"null"))
}

/// The whole body, of whatever type.
///
/// Refuses more than [`MAX_REQUEST_BYTES`] (413) and what is not there in four seconds
/// (408).
pub async fn whole(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > MAX_REQUEST_BYTES) {
        return Err(too_large());
    }
    let limited = Limited::new(body, MAX_REQUEST_BYTES);
    match tokio::time::timeout(PATIENCE, limited.collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) => Err(broken(&*error)),
        Err(_elapsed) => {
            let message = "The body did not arrive in time";
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message))
        }
    }
}

/// What a body ended with before its end.
fn broken(error: &(dyn Error + 'static)) -> Problem {
    if error.is::<LengthLimitError>() {
        return too_large();
    }
    let mut cause = Some(error);
    while let Some(error) = cause {
        // What surrounds the request has something against it (see `serve`).
        if let Some(status) = error.downcast_ref::<Status>() {
            return status.clone().into();
        }
        cause = error.source();
    }
    let message = "The body ended before it was complete";
    Problem::new(StatusCode::BAD_REQUEST, "INCOMPLETE_BODY", message)
}

fn not_json() -> Problem {
    let message = "The body must be JSON, sent as `content-type: application/json`";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
}

fn too_large() -> Problem {
    let message = format!("The body must have at most {MAX_REQUEST_BYTES} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
}

/// Exactly one `application/json`, perhaps with the only charset JSON has (RFC 8259 section
/// 8.1), and no encoding.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let text = only.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let is_json = parts.next() == Some("application/json");
    let is_utf8 = parts.all(|part| matches!(part, "" | "charset=utf-8" | "charset=\"utf-8\""));
    let encoding = headers.get(CONTENT_ENCODING).map_or(&b"identity"[..], HeaderValue::as_bytes);
    is_json && is_utf8 && encoding.eq_ignore_ascii_case(b"identity")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let read = whole(&HeaderMap::new(), Body::from(fitting.clone())).await;
        assert_eq!(read.expect("a body").len(), MAX_REQUEST_BYTES);
        let large = [&fitting[..], b" "].concat();
        let read = whole(&HeaderMap::new(), Body::from(large)).await;
        assert_eq!(read.expect_err("too large").status, StatusCode::PAYLOAD_TOO_LARGE);
        let announced = headers(&[("content-length", "65537")]);
        let read = whole(&announced, Body::empty()).await;
        assert_eq!(read.expect_err("too large").status, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let never = Body::new(http_body_util::StreamBody::new(futures_util::stream::pending::<
            Result<hyper::body::Frame<Bytes>, std::io::Error>,
        >()));
        let read = whole(&HeaderMap::new(), never).await;
        assert_eq!(read.expect_err("too slow").status, StatusCode::REQUEST_TIMEOUT);
    }
}
