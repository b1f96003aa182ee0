//! Problems: the one maker of HTTP error responses.

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{
    HeaderValue, StatusCode,
    header::{RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use shared::error::{Kind, RETRY_AFTER as RETRY_DELAY, Refusal};
use tonic::Status;
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
    pub message: Cow<'static, str>,
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
    /// A problem of a kind, without a reason.
    #[must_use]
    pub fn of(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(kind.http_status(), kind.error_code(), message)
    }

    /// A problem of HTTP alone, with nothing to add.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
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
        Self { faults, ..Self::of(Kind::Invalid, sentences.join("; ")) }
    }

    /// The problem of an unknown route: 404.
    #[must_use]
    pub fn no_such_route() -> Self {
        Self::of(Kind::NotFound, "There is nothing at this address")
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
        if no_token.iter().any(|refusal| refusal.reason() == self.code) {
            return HeaderValue::from_static("Bearer");
        }
        let text = format!(r#"Bearer error="invalid_token", error_description="{}""#, self.message);
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal.kind() {
            // Logged, some without their message, or with a delay to retry.
            Kind::Full | Kind::TooMany | Kind::Busy | Kind::Unavailable | Kind::Internal => {
                Status::from(refusal).into()
            }
            kind => Self::new(kind.http_status(), refusal.reason(), refusal.message()),
        }
    }
}

impl From<Status> for Problem {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().map(|info| info.reason.clone());
        let kind = Kind::of(status.code(), reason.as_deref());
        let faults = details.bad_request().map_or_else(Vec::new, |bad| {
            let fault = |of: &tonic_types::FieldViolation| Fault {
                field: of.field.clone(),
                message: of.description.clone(),
            };
            bad.field_violations.iter().map(fault).collect()
        });
        Self {
            status: kind.http_status(),
            code: reason.map_or(kind.error_code().into(), Cow::from),
            message: status.message().to_owned().into(),
            faults,
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay).or_else(|| {
                (kind.http_status() == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_DELAY)
            }),
        }
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
    use shared::error::refused_call;
    use tonic::Code;

    use super::*;

    #[test]
    fn a_refusal_is_the_problem_of_its_status() {
        for refusal in Refusal::ALL {
            assert_eq!(Problem::from(*refusal), Problem::from(Status::from(*refusal)));
        }
    }

    /// Gone and too large share a gRPC code, as do full and too many; the row of the reason
    /// distinguishes them.
    #[test]
    fn a_problem_has_the_status_of_its_row_or_of_its_kind() {
        for (status, http, code) in [
            (Refusal::SyncTokenTooOld.into(), StatusCode::GONE, "SYNC_TOKEN_TOO_OLD"),
            (refused_call(Kind::TooLarge, ""), StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE"),
            (refused_call(Kind::Precondition, ""), StatusCode::CONFLICT, "FAILED_PRECONDITION"),
            (Refusal::NotRepeating.into(), StatusCode::CONFLICT, "NOT_REPEATING"),
            (refused_call(Kind::Stale, ""), StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED"),
            (refused_call(Kind::TooMany, ""), StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED"),
            (Refusal::TooManyImports.into(), StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_IMPORTS"),
            (Refusal::StorageFull.into(), StatusCode::INSUFFICIENT_STORAGE, "STORAGE_FULL"),
            (Refusal::QuotaExceeded.into(), StatusCode::INSUFFICIENT_STORAGE, "QUOTA_EXCEEDED"),
            (refused_call(Kind::Invalid, ""), StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
            (
                Status::new(Code::Cancelled, ""),
                StatusCode::SERVICE_UNAVAILABLE,
                "DEADLINE_EXCEEDED",
            ),
            (Status::new(Code::Unknown, ""), StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
        ] {
            let words = status.message().to_owned();
            let problem = Problem::from(status);
            assert_eq!((problem.status, &*problem.code), (http, code));
            assert_eq!(problem.message, words);
        }
    }
}
