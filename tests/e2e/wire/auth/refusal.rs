//! HTTP errors, converted to refusals of an rpc.

use http::HeaderMap;
use serde_json::Value;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{exchange::Reply, wire::with_evidence};

/// The fields of a route that its codes speak of without naming them.
pub struct Fields {
    /// The one that PASSWORD_TOO_SHORT and its like are about.
    pub password: &'static str,
}

impl Fields {
    pub const NONE: Self = Self { password: "" };
    pub const PASSWORD: Self = Self { password: "password" };
    pub const NEW_PASSWORD: Self = Self { password: "new_password" };
}

/// The reason of an rpc in place of a code.
#[derive(Clone, Copy)]
enum Says {
    /// This reason; empty: none.
    Reason(&'static str),
    /// That there is no session, and what came instead of one.
    NoSession,
    /// That this field breaks a rule.
    Field(&'static str),
    /// That the field for the password breaks a rule.
    Password,
    /// That the fields in the message break rules.
    Schema,
}

/// Every HTTP status and code that stands for a refusal of an rpc; the empty code is
/// none.
const CODES: [(u16, &str, Code, Says); 22] = [
    (400, "VALIDATION_ERROR", Code::InvalidArgument, Says::Schema),
    (400, "INVALID_EMAIL", Code::InvalidArgument, Says::Field("email")),
    (400, "PASSWORD_TOO_SHORT", Code::InvalidArgument, Says::Password),
    (400, "PASSWORD_TOO_LONG", Code::InvalidArgument, Says::Password),
    (400, "PASSWORD_TOO_COMMON", Code::InvalidArgument, Says::Password),
    (400, "INVALID_PASSWORD", Code::InvalidArgument, Says::Reason("INVALID_PASSWORD")),
    (400, "", Code::InvalidArgument, Says::Field("name")), // "No fields to update"
    (
        400,
        "CREDENTIAL_ACCOUNT_NOT_FOUND",
        Code::NotFound,
        Says::Reason("CREDENTIAL_ACCOUNT_NOT_FOUND"),
    ),
    // What Better Auth calls a session that is too old to delete an account with.
    (400, "SESSION_EXPIRED", Code::PermissionDenied, Says::Reason("SESSION_NOT_FRESH")),
    (401, "UNAUTHORIZED", Code::Unauthenticated, Says::NoSession),
    (
        401,
        "INVALID_EMAIL_OR_PASSWORD",
        Code::Unauthenticated,
        Says::Reason("INVALID_EMAIL_OR_PASSWORD"),
    ),
    (403, "SESSION_NOT_FRESH", Code::PermissionDenied, Says::Reason("SESSION_NOT_FRESH")),
    (403, "BANNED_USER", Code::PermissionDenied, Says::Reason("BANNED_USER")),
    (403, "TWO_FACTOR_REQUIRED", Code::PermissionDenied, Says::Reason("TWO_FACTOR_REQUIRED")),
    (403, "EMAIL_NOT_VERIFIED", Code::PermissionDenied, Says::Reason("EMAIL_NOT_VERIFIED")),
    (
        400,
        "EMAIL_PASSWORD_SIGN_UP_DISABLED",
        Code::PermissionDenied,
        Says::Reason("SIGN_UP_DISABLED"),
    ),
    (
        422,
        "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
        Code::AlreadyExists,
        Says::Reason("EMAIL_TAKEN"),
    ),
    (429, "", Code::ResourceExhausted, Says::Reason("")),
    (500, "INTERNAL_SERVER_ERROR", Code::Internal, Says::Reason("")),
    (503, "BUSY", Code::Unavailable, Says::Reason("BUSY")),
    (503, "SERVICE_UNAVAILABLE", Code::Unavailable, Says::Reason("")),
    (507, "STORAGE_FULL", Code::ResourceExhausted, Says::Reason("STORAGE_FULL")),
];

/// The JSON members that have another name in the messages.
const NAMES: [(&str, &str); 4] = [
    ("currentPassword", "current_password"),
    ("newPassword", "new_password"),
    ("pageSize", "page_size"),
    ("pageToken", "page_token"),
];

/// The refusal of an rpc with this metadata.
#[track_caller]
pub fn status(reply: &Reply, metadata: &HeaderMap, fields: &Fields) -> Status {
    let body = reply.json();
    let members = body.as_object().expect("an object");
    let message = members["message"].as_str().expect("a sentence");
    assert!(!message.is_empty(), "{reply:?}");
    let code = members.get("code").map_or("", |code| code.as_str().expect("a text"));
    assert_eq!(members.len(), 1 + usize::from(members.contains_key("code")), "{reply:?}");
    // Better Auth's client reads a header of its own.
    assert_eq!(reply.text("x-retry-after"), reply.text("retry-after"), "{reply:?}");
    let http = reply.status.as_u16();
    let row = CODES.iter().find(|row| (row.0, row.1) == (http, code));
    let Some((_, _, code, says)) = row else {
        panic!("no rpc is refused like this: {reply:?}");
    };
    let mut details = ErrorDetails::new();
    let mut fault = |field: &str| {
        details.add_bad_request_violation(field, message);
    };
    match *says {
        Says::Reason("") => {}
        Says::Reason(reason) => {
            details.set_error_info(reason, "", [] as [(String, String); 0]);
        }
        Says::NoSession => return with_evidence(no_session(metadata), reply),
        Says::Field(field) => fault(field),
        Says::Password => fault(fields.password),
        Says::Schema => named(message).iter().for_each(|field| fault(field)),
    }
    with_evidence(Status::with_error_details(*code, message, details), reply)
}

/// The fields in the words of Better Auth's validator: `[body.name] rule; [body.x] rule`, or
/// `[query.x] rule`.
fn named(message: &str) -> Vec<String> {
    let place = if message.starts_with("[query.") { "[query." } else { "[body." };
    let issues: Vec<_> = message.split(place).collect();
    let (start, issues) = issues.split_first().expect("something");
    assert_eq!(*start, "", "{message}");
    let name = |issue: &&str| {
        let (name, rule) = issue.split_once("] ").unwrap_or_else(|| panic!("{message}"));
        assert!(rule.trim_end_matches([';', ' ']).len() > 5, "{message}");
        let known = NAMES.iter().find(|(http, _)| *http == name);
        known.map_or(name, |(_, grpc)| grpc).to_owned()
    };
    issues.iter().map(name).collect()
}

/// Better Auth reports only that there is no session; the missing part is what the
/// caller did not send.
pub fn no_session(metadata: &HeaderMap) -> Status {
    if let Err(refusal) = shared::auth::bearer(metadata) {
        return refusal.into();
    }
    let mut details = ErrorDetails::new();
    details.set_error_info("INVALID_SESSION", "", [] as [(String, String); 0]);
    Status::with_error_details(Code::Unauthenticated, "Unauthorized", details)
}

/// A body that is nothing but this.
#[track_caller]
pub fn assert_says(reply: &Reply, expected: &Value) {
    assert_eq!(reply.json(), *expected, "{reply:?}");
}
