//! HTTP errors, converted to refusals of an rpc.

use http::StatusCode;
use serde_json::Value;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::JSON;
use crate::{
    exchange::Reply,
    wire::{shape, with_evidence},
};

/// Every `error_code` that stands for a refusal of an rpc: its HTTP status, the code of the
/// rpc, and whether it is the rpc's reason too (where it is not, the rpc gives none).
const CODES: [(&str, u16, Code, bool); 25] = [
    ("INVALID_ARGUMENT", 400, Code::InvalidArgument, false),
    ("MISSING_TOKEN", 401, Code::Unauthenticated, true),
    ("INVALID_HEADER_FORMAT", 401, Code::Unauthenticated, true),
    ("MALFORMED_TOKEN", 401, Code::Unauthenticated, true),
    ("INVALID_TOKEN_SIGNATURE", 401, Code::Unauthenticated, true),
    ("TOKEN_EXPIRED", 401, Code::Unauthenticated, true),
    ("TOKEN_NOT_YET_VALID", 401, Code::Unauthenticated, true),
    ("INVALID_ISSUER", 401, Code::Unauthenticated, true),
    ("INVALID_AUDIENCE", 401, Code::Unauthenticated, true),
    ("MISSING_UID_CLAIM", 401, Code::Unauthenticated, true),
    ("FORBIDDEN_USER_ACCESS", 403, Code::PermissionDenied, true),
    ("TASK_NOT_FOUND", 404, Code::NotFound, true),
    ("REQUEST_ID_REUSED", 409, Code::AlreadyExists, true),
    ("STALE_ETAG", 412, Code::Aborted, true),
    ("NOT_REPEATING", 409, Code::FailedPrecondition, true),
    ("SERIES_ENDED", 409, Code::FailedPrecondition, true),
    ("SYNC_TOKEN_TOO_OLD", 410, Code::OutOfRange, true),
    ("PAGE_TOKEN_TOO_OLD", 410, Code::OutOfRange, true),
    ("RESOURCE_EXHAUSTED", 429, Code::ResourceExhausted, false),
    ("STORAGE_FULL", 507, Code::ResourceExhausted, true),
    ("QUOTA_EXCEEDED", 507, Code::ResourceExhausted, true),
    ("INTERNAL", 500, Code::Internal, false),
    ("UNAVAILABLE", 503, Code::Unavailable, false),
    ("DEADLINE_EXCEEDED", 503, Code::DeadlineExceeded, false),
    ("PAYLOAD_TOO_LARGE", 413, Code::OutOfRange, false),
];

/// Challenges that name no error: no token was sent.
const NO_TOKEN: [&str; 2] = ["MISSING_TOKEN", "INVALID_HEADER_FORMAT"];

/// Fields in the words of HTTP, and in the words of the rpcs.
const NAMES: [(&str, &str); 4] = [
    ("Idempotency-Key", "request_id"),
    ("body", "update_mask"),
    ("changes", "changes.update_mask"),
    ("If-Match", "etag"),
];

/// The JSON of a problem, and the response around it, as every problem has them.
pub struct Problem {
    pub code: String,
    pub detail: String,
    /// The faulty fields, with the rules they break.
    pub faults: Vec<(String, String)>,
}

impl Problem {
    /// Reads an answer that must be a problem.
    #[track_caller]
    pub fn read(reply: &Reply) -> Self {
        shape::assert_surrounded(reply);
        shape::assert_typed(reply, JSON);
        let body = reply.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let (code, detail) = (text(&body["error_code"]), text(&body["detail"]));
        let is_invalid = code == "INVALID_ARGUMENT";
        let mut names: Vec<_> = body.as_object().expect("an object").keys().collect();
        names.sort();
        // Of many tasks, the missing ones are named.
        let has_faults = is_invalid || code == "TASK_NOT_FOUND" && !body["errors"].is_null();
        let expected: &[&str] = if has_faults {
            &["detail", "error_code", "errors", "status_code"]
        } else {
            &["detail", "error_code", "status_code"]
        };
        assert_eq!(names, expected, "{reply:?}");
        assert_eq!(body["status_code"], reply.status.as_u16(), "{reply:?}");
        assert!(!detail.is_empty(), "{reply:?}");
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        assert_eq!(errors.is_empty(), !has_faults, "{reply:?}");
        let fault = |error: &Value| {
            assert_eq!(error.as_object().map(serde_json::Map::len), Some(2), "{reply:?}");
            (text(&error["field"]), text(&error["message"]))
        };
        let faults = errors.iter().map(fault).collect();
        let problem = Self { code, detail, faults };
        assert_eq!(reply.text("www-authenticate"), problem.challenge(reply.status), "{reply:?}");
        problem
    }

    /// The challenge it must come with (RFC 6750 section 3); empty for none.
    fn challenge(&self, status: StatusCode) -> String {
        match (status, NO_TOKEN.contains(&self.code.as_str())) {
            (StatusCode::UNAUTHORIZED, true) => "Bearer".to_owned(),
            (StatusCode::UNAUTHORIZED, false) => {
                format!(r#"Bearer error="invalid_token", error_description="{}""#, self.detail)
            }
            _ => String::new(),
        }
    }
}

/// The refusal of an rpc whose mask had these paths.
#[track_caller]
pub fn status(reply: &Reply, mask: &[String]) -> Status {
    let problem = Problem::read(reply);
    let row = CODES.iter().find(|(code, ..)| *code == problem.code);
    let Some((reason, http, code, is_reason)) = row else {
        panic!("no rpc is refused like this: {reply:?}");
    };
    assert_eq!(reply.status.as_u16(), *http, "{reply:?}");
    let mut details = ErrorDetails::new();
    if *is_reason {
        details.set_error_info(*reason, "", [] as [(String, String); 0]);
    }
    for (field, rule) in problem.faults {
        details.add_bad_request_violation(name(&field, mask), rule);
    }
    with_evidence(Status::with_error_details(*code, problem.detail, details), reply)
}

/// The end of an rpc, from the last event of a stream.
#[track_caller]
pub fn in_stream(problem: &Value) -> Status {
    let text = |name: &str| problem[name].as_str().expect("a text");
    let row = CODES.iter().find(|(code, ..)| *code == text("error_code"));
    let Some((reason, http, code, is_reason)) = row else {
        panic!("no rpc ends like this: {problem}");
    };
    assert_eq!(problem["status_code"], *http, "{problem}");
    let mut details = ErrorDetails::new();
    if *is_reason {
        details.set_error_info(*reason, "", [] as [(String, String); 0]);
    }
    Status::with_error_details(*code, text("detail"), details)
}

/// The field in the words of the rpc. A member that no message has was a path of the mask:
/// its fault is the mask's.
fn name(field: &str, mask: &[String]) -> String {
    const MEMBERS: [&str; 10] = [
        "title",
        "description",
        "completed",
        "priority",
        "tags",
        "due_date",
        "due_at",
        "due_zone",
        "reminders",
        "recurrence",
    ];
    let known = NAMES.iter().find(|(http, _)| *http == field);
    match known {
        Some((_, grpc)) => (*grpc).to_owned(),
        None if mask.iter().any(|path| path == field) && !MEMBERS.contains(&field) => {
            "update_mask".to_owned()
        }
        None => field.to_owned(),
    }
}
