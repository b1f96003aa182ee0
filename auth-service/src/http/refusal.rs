//! What a caller is told when it does not work: `{"message", "code"}` in Better Auth's
//! words, and the one way from an error of the domain to HTTP.

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{
    StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use serde::Serialize;
use server::http::{Problem, json};
use shared::error::{Classified, Kind, status};
use utoipa::ToSchema;

use crate::{
    error::Error,
    error_code::{self, ErrorCode},
    password::PasswordFault,
};

/// What Better Auth's client reads before it tries again.
const X_RETRY_AFTER: HeaderName = HeaderName::from_static("x-retry-after");

/// Why a request was not answered with what it asked for.
#[derive(Serialize, ToSchema)]
pub struct Refusal {
    /// For people.
    message: Cow<'static, str>,
    /// For programs: never changes. Not every refusal has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Cow<'static, str>>,
}

/// A refusal and its status.
pub struct Refused {
    status: StatusCode,
    refusal: Refusal,
    retry_after: Option<Duration>,
    /// Cookies that the caller is to forget; boxed, because few refusals have any.
    cookies: Option<Box<HeaderMap>>,
}

impl Refused {
    /// A refusal by its row in the table.
    pub fn of(code: &ErrorCode) -> Self {
        Self::saying(code, code.message.unwrap_or_default())
    }

    /// A refusal by its row, with a sentence about this very request.
    pub fn saying(code: &ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let refusal = Refusal { message: message.into(), code: code.code.map(Into::into) };
        Self { status: code.status, refusal, retry_after: None, cookies: None }
    }

    /// No live session.
    pub fn unauthorized() -> Self {
        Self::of(&error_code::UNAUTHORIZED)
    }

    /// The refusal, with cookies that the caller is to forget.
    pub fn forgetting(self, cookies: HeaderMap) -> Self {
        Self { cookies: Some(Box::new(cookies)), ..self }
    }
}

impl IntoResponse for Refused {
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

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let Some(code) = error.code() else {
            return match error {
                Error::Refused(_) => Self::unauthorized(),
                // Only its kind matters. A fault of ours is logged with its cause here, once,
                // and told in a fixed sentence.
                _ => Problem::from(status(&error)).into(),
            };
        };
        let retry_after = match code.grpc.map(|told| told.kind) {
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

/// The code is the status' name; upstream gives 429 none, and words of its own.
impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        let retry_after = problem.retry_after;
        if problem.status == StatusCode::TOO_MANY_REQUESTS {
            return Self { retry_after, ..Self::of(&error_code::TOO_MANY_REQUESTS) };
        }
        let name = problem.status.canonical_reason().unwrap_or("Unknown");
        let code = name.to_ascii_uppercase().replace([' ', '-'], "_");
        let refusal = Refusal { message: problem.message.into(), code: Some(code.into()) };
        Self { status: problem.status, refusal, retry_after, cookies: None }
    }
}

impl From<PasswordFault> for Refused {
    fn from(fault: PasswordFault) -> Self {
        Self::of(match fault {
            PasswordFault::Empty => &error_code::INVALID_PASSWORD,
            PasswordFault::Short(_) => &error_code::PASSWORD_TOO_SHORT,
            PasswordFault::Long => &error_code::PASSWORD_TOO_LONG,
            PasswordFault::Common => &error_code::PASSWORD_TOO_COMMON,
        })
    }
}

/// What was refused before it reached a route, in the shape of what the routes refuse.
pub fn refusal(problem: Problem) -> Response {
    Refused::from(problem).into_response()
}

/// What is not there, as upstream tells it: without a word.
pub async fn nothing_here() -> StatusCode {
    StatusCode::NOT_FOUND
}
