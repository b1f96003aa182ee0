//! The form of every HTTP response.

use http::{StatusCode, header::HeaderName};

use crate::exchange::Reply;

/// Headers with one value on every answer.
const ALWAYS: [(&str, &str); 2] =
    [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")];

/// What an answer would give away or hand out for nothing.
const NEVER: [&str; 4] = ["server", "x-powered-by", "grpc-status", "grpc-message"];

/// The headers around every response under `/api/`: no one may cache, run or frame it,
/// and it can be found in the log.
#[track_caller]
pub fn assert_surrounded(reply: &Reply) {
    for (name, value) in ALWAYS {
        assert_eq!(reply.text(name), value, "{name}: {reply:?}");
    }
    // What comes piece by piece must not be gathered on its way to be compressed.
    let is_streamed = reply.text("content-type") == "text/event-stream"
        || reply.headers.contains_key("content-disposition");
    let kept = if is_streamed { "no-store, no-transform" } else { "no-store" };
    assert_eq!(reply.text("cache-control"), kept, "{reply:?}");
    let policy = reply.text("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{reply:?}");
    assert!(policy.contains("frame-ancestors 'none'"), "{reply:?}");
    let id = reply.text("x-request-id");
    let is_plain = id.bytes().all(|byte| byte.is_ascii_graphic());
    assert!((1..=128).contains(&id.len()) && is_plain, "{reply:?}");
    for name in NEVER {
        assert!(!reply.headers.contains_key(name), "{name}: {reply:?}");
    }
    assert_eq!(reply.headers.contains_key("retry-after"), tells_to_wait(reply.status), "{reply:?}");
    if tells_to_wait(reply.status) {
        let seconds: u64 = reply.text("retry-after").parse().expect("a number of seconds");
        assert!((1..=3600).contains(&seconds), "{reply:?}");
    }
}

/// A body of exactly this type, or none and no type.
#[track_caller]
pub fn assert_typed(reply: &Reply, content_type: &str) {
    if reply.status == StatusCode::NO_CONTENT {
        assert!(reply.body.is_empty(), "{reply:?}");
        for name in [http::header::CONTENT_TYPE, HeaderName::from_static("transfer-encoding")] {
            assert!(!reply.headers.contains_key(&name), "{name}: {reply:?}");
        }
    } else {
        assert_eq!(reply.text("content-type"), content_type, "{reply:?}");
    }
}

/// Whether the same call may succeed later, so that the response has a time to retry after.
fn tells_to_wait(status: StatusCode) -> bool {
    [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status)
}
