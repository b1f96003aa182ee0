//! Error responses, `{"message", "code"}` in Better Auth's words: the one conversion from a
//! domain error to HTTP.

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{
    StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use serde::Serialize;
use server::http::{Problem, json};
use shared::error::{Classified, Kind, Refusal, status};
use utoipa::ToSchema;

use crate::{
    error::Error,
    error_code::{self, ErrorCode},
    password::PasswordFault,
};

/// The retry header of Better Auth's client.
const X_RETRY_AFTER: HeaderName = HeaderName::from_static("x-retry-after");

/// Why a request was not answered with what it asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Refusal)]
pub struct ErrorBody {
    /// For people.
    message: Cow<'static, str>,
    /// For programs: never changes. Not every refusal has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Cow<'static, str>>,
}

/// An error response.
pub struct ApiError {
    status: StatusCode,
    refusal: ErrorBody,
    retry_after: Option<Duration>,
    /// Expired cookies; boxed, because few errors have any.
    cookies: Option<Box<HeaderMap>>,
}

impl ApiError {
    /// The error of a row of the table.
    pub fn of(code: &ErrorCode) -> Self {
        Self::with_message(code, code.message.unwrap_or_default())
    }

    /// The error of a row, with a message specific to the request.
    pub fn with_message(code: &ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let refusal = ErrorBody { message: message.into(), code: code.code.map(Into::into) };
        Self { status: code.status, refusal, retry_after: None, cookies: None }
    }

    /// No live session.
    pub fn unauthorized() -> Self {
        Self::of(&error_code::UNAUTHORIZED)
    }

    /// Adds expired cookies.
    pub fn with_expired_cookies(self, cookies: HeaderMap) -> Self {
        Self { cookies: Some(Box::new(cookies)), ..self }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = json::answer(self.status, &self.refusal);
        response.headers_mut().extend(self.cookies.map(|cookies| *cookies).unwrap_or_default());
        if let Some(wait) = self.retry_after {
            let seconds = HeaderValue::from(wait.as_secs().max(1));
            response.headers_mut().insert(X_RETRY_AFTER, seconds.clone());
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let Some(code) = error.code() else {
            // Only its kind matters. An internal error is logged with its cause here, once, and
            // gets a fixed message.
            return Problem::from(status(&error)).into();
        };
        let retry_after = match code.refusal.map(Refusal::kind) {
            Some(Kind::TooMany | Kind::Busy) => Some(error.retry_after()),
            Some(Kind::Full) => {
                drop(status(&error)); // logs the cause
                None
            }
            _ => None,
        };
        Self { retry_after, ..Self::of(code) }
    }
}

/// The code is the status' name; upstream gives 429 none, and its own message.
impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        let retry_after = problem.retry_after;
        if problem.status == StatusCode::TOO_MANY_REQUESTS {
            return Self { retry_after, ..Self::of(&error_code::TOO_MANY_REQUESTS) };
        }
        let name = problem.status.canonical_reason().unwrap_or("Unknown");
        let code = name.to_ascii_uppercase().replace([' ', '-'], "_");
        let refusal = ErrorBody { message: problem.message, code: Some(code.into()) };
        Self { status: problem.status, refusal, retry_after, cookies: None }
    }
}

impl From<PasswordFault> for ApiError {
    fn from(fault: PasswordFault) -> Self {
        Self::of(match fault {
            PasswordFault::Empty => &error_code::INVALID_PASSWORD,
            PasswordFault::Short(_) => &error_code::PASSWORD_TOO_SHORT,
            PasswordFault::Long => &error_code::PASSWORD_TOO_LONG,
            PasswordFault::Common => &error_code::PASSWORD_TOO_COMMON,
        })
    }
}

/// The response to a problem before any route, in the form of the routes' errors.
pub fn refusal(problem: Problem) -> Response {
    ApiError::from(problem).into_response()
}

/// The response to unknown paths, as upstream's: 404 without a body.
pub async fn not_found() -> StatusCode {
    StatusCode::NOT_FOUND
}
