//! Problems: the one maker of HTTP error responses.

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use shared::{
    auth::Refusal,
    error::{Classified, QUOTA_EXCEEDED, STORAGE_FULL},
};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use utoipa::ToSchema;

use super::json;

/// The problem of an HTTP request: the status decides for programs that read no further, `code`
/// for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// A constant a program can compare.
    pub code: Cow<'static, str>,
    /// A sentence for people.
    pub message: String,
    /// Every faulty field.
    pub faults: Vec<Fault>,
    /// How long to wait before asking again.
    pub retry_after: Option<Duration>,
}

/// One faulty field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// The member, the query parameter, or `body`.
    pub field: String,
    /// The rule it breaks, as a sentence about the field.
    pub message: String,
}

impl Problem {
    /// A problem with nothing to add.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            faults: Vec::new(),
            retry_after: None,
        }
    }

    /// Faulty fields: 400.
    #[must_use]
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let sentences: Vec<_> =
            faults.iter().map(|fault| format!("{} {}", fault.field, fault.message)).collect();
        Self {
            faults,
            ..Self::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", sentences.join("; "))
        }
    }

    /// The problem of an unknown route: 404.
    #[must_use]
    pub fn no_such_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "There is nothing at this address")
    }

    /// The problem of a method that the route lacks: 405. The router adds `Allow`.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let message = "This address does not know the method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
    }

    /// The challenge of a 401 (RFC 6750 section 3): it names an error only where a token
    /// was sent.
    fn challenge(&self) -> HeaderValue {
        let no_token = [Refusal::MissingToken, Refusal::InvalidHeaderFormat];
        if no_token.iter().any(|refusal| refusal.reason() == Some(&*self.code)) {
            return HeaderValue::from_static("Bearer");
        }
        let text = format!(r#"Bearer error="invalid_token", error_description="{}""#, self.message);
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Status::from(refusal).into()
    }
}

impl From<Status> for Problem {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.clone());
        let (http, code) = match (status.code(), &reason) {
            // `Kind::Gone` has a reason; the transport's code for a message beyond the limit has
            // none.
            (Code::OutOfRange, Some(_)) => (StatusCode::GONE, "GONE"),
            // As RFC 4331 section 3 has it, for a disk that is full and for a quota.
            (Code::ResourceExhausted, Some(reason))
                if [STORAGE_FULL, QUOTA_EXCEEDED].contains(&&**reason) =>
            {
                (StatusCode::INSUFFICIENT_STORAGE, "INSUFFICIENT_STORAGE")
            }
            (code, _) => of(code),
        };
        let faults = details.bad_request().map_or_else(Vec::new, |bad| {
            let fault = |of: &tonic_types::FieldViolation| Fault {
                field: of.field.clone(),
                message: of.description.clone(),
            };
            bad.field_violations.iter().map(fault).collect()
        });
        Self {
            status: http,
            code: reason.map_or(code.into(), Cow::from),
            message: status.message().to_owned(),
            faults,
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay).or_else(|| {
                (http == StatusCode::SERVICE_UNAVAILABLE).then_some(Duration::from_secs(1))
            }),
        }
    }
}

/// The HTTP status of a gRPC code, and the default error code.
fn of(code: Code) -> (StatusCode, &'static str) {
    match code {
        Code::OutOfRange => (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE"),
        Code::InvalidArgument => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
        Code::Unauthenticated => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
        Code::PermissionDenied => (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
        Code::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Code::FailedPrecondition => (StatusCode::CONFLICT, "FAILED_PRECONDITION"),
        Code::AlreadyExists => (StatusCode::CONFLICT, "CONFLICT"),
        Code::Aborted => (StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED"),
        Code::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED"),
        Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
        Code::DeadlineExceeded | Code::Cancelled => {
            (StatusCode::SERVICE_UNAVAILABLE, "DEADLINE_EXCEEDED")
        }
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
    }
}

/// The JSON of a problem.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "detail": "Token expired", "error_code": "TOKEN_EXPIRED", "status_code": 401
}))]
pub struct ProblemBody<'a> {
    /// A sentence for people.
    detail: &'a str,
    /// A constant a program can compare.
    error_code: &'a str,
    /// The HTTP status once more.
    status_code: u16,
    /// Every faulty field, where fields are the problem.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [Fault],
}

impl<'a> ProblemBody<'a> {
    /// The JSON of `problem`, for a response that has begun already.
    #[must_use]
    pub fn of(problem: &'a Problem) -> Self {
        Self {
            detail: &problem.message,
            error_code: &problem.code,
            status_code: problem.status.as_u16(),
            errors: &problem.faults,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = json::answer(self.status, &ProblemBody::of(&self));
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, self.challenge());
        }
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, wait.as_secs().max(1).into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::error::{Kind, status};

    #[derive(Debug, thiserror::Error)]
    #[error("the words")]
    struct Sample(Kind, Option<&'static str>);

    impl Classified for Sample {
        fn kind(&self) -> Kind {
            self.0
        }
        fn reason(&self) -> Option<&'static str> {
            self.1
        }
    }

    /// Gone and too large share a gRPC code; the reason distinguishes them.
    #[test]
    fn a_problem_has_the_status_of_its_kind_and_the_code_of_its_reason() {
        let too_old = Some("SYNC_TOKEN_TOO_OLD");
        for (kind, reason, status_code, code) in [
            (Kind::Gone, too_old, StatusCode::GONE, "SYNC_TOKEN_TOO_OLD"),
            (Kind::Gone, None, StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE"),
            (Kind::Precondition, None, StatusCode::CONFLICT, "FAILED_PRECONDITION"),
            (Kind::Precondition, Some("NO_REPEAT"), StatusCode::CONFLICT, "NO_REPEAT"),
            (Kind::Stale, None, StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED"),
            (Kind::TooMany, None, StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED"),
            (Kind::Full, Some(STORAGE_FULL), StatusCode::INSUFFICIENT_STORAGE, STORAGE_FULL),
            (Kind::Full, Some(QUOTA_EXCEEDED), StatusCode::INSUFFICIENT_STORAGE, QUOTA_EXCEEDED),
            (Kind::Invalid, None, StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
        ] {
            let problem = Problem::from(status(&Sample(kind, reason)));
            assert_eq!((problem.status, &*problem.code), (status_code, code), "{kind:?}");
            // A full disk is a matter of the server, whose words are for the log.
            let is_ours = reason == Some(STORAGE_FULL);
            let message = if is_ours { "There is no room left to store this" } else { "the words" };
            assert_eq!(problem.message, message);
        }
    }
}
