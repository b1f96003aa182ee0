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
use shared::error::{Classified, STORAGE_FULL, status};
use utoipa::ToSchema;

use crate::{error::Error, hashing::HashingError, password::PasswordFault};

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
    /// A refusal that programs can tell from others.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let refusal = Refusal { message: message.into(), code: Some(code.into()) };
        Self { status, refusal, retry_after: None, cookies: None }
    }

    /// A refusal that upstream gives no code.
    pub fn uncoded(status: StatusCode, message: &'static str) -> Self {
        let refusal = Refusal { message: message.into(), code: None };
        Self { status, refusal, retry_after: None, cookies: None }
    }

    /// No live session.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Unauthorized")
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
        let (status, code, message) = match &error {
            Error::CommonPassword(_) => return PasswordFault::Common.into(),
            Error::InvalidSession | Error::Refused(_) => return Self::unauthorized(),
            Error::InvalidEmailOrPassword => {
                let code = "INVALID_EMAIL_OR_PASSWORD";
                (StatusCode::UNAUTHORIZED, code, "Invalid email or password")
            }
            Error::EmailTaken => {
                let code = "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL";
                let message = "User already exists. Use another email.";
                (StatusCode::UNPROCESSABLE_ENTITY, code, message)
            }
            Error::InvalidPassword => {
                (StatusCode::BAD_REQUEST, "INVALID_PASSWORD", "Invalid password")
            }
            Error::NoPassword => {
                let code = "CREDENTIAL_ACCOUNT_NOT_FOUND";
                (StatusCode::BAD_REQUEST, code, "Credential account not found")
            }
            Error::SessionNotFresh => {
                (StatusCode::FORBIDDEN, "SESSION_NOT_FRESH", "Session is not fresh")
            }
            Error::Restricted(restriction) => {
                let message = restriction.to_string();
                return Self::new(StatusCode::FORBIDDEN, restriction.reason(), message);
            }
            Error::SignUpDisabled => {
                let code = "EMAIL_PASSWORD_SIGN_UP_DISABLED";
                (StatusCode::BAD_REQUEST, code, "Email and password sign up is not enabled")
            }
            Error::TooManyRight { .. } | Error::Hashing(HashingError::Busy) => {
                let message = error.to_string();
                let busy = Self::new(StatusCode::SERVICE_UNAVAILABLE, "BUSY", message);
                return Self { retry_after: Some(error.retry_after()), ..busy };
            }
            _ if error.reason() == Some(STORAGE_FULL) => {
                let problem = Problem::from(status(&error));
                return Self::new(problem.status, STORAGE_FULL, problem.message);
            }
            // Only its kind matters. A fault of ours is logged with its cause here, once, and
            // told in a fixed sentence.
            _ => return Problem::from(status(&error)).into(),
        };
        Self::new(status, code, message)
    }
}

/// The code is the status' name; upstream gives 429 none, and words of its own.
impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        let refusal = if problem.status == StatusCode::TOO_MANY_REQUESTS {
            let message = "Too many requests. Please try again later.".into();
            Refusal { message, code: None }
        } else {
            let name = problem.status.canonical_reason().unwrap_or("Unknown");
            let code = name.to_ascii_uppercase().replace([' ', '-'], "_");
            Refusal { message: problem.message.into(), code: Some(code.into()) }
        };
        let retry_after = problem.retry_after;
        Self { status: problem.status, refusal, retry_after, cookies: None }
    }
}

impl From<PasswordFault> for Refused {
    fn from(fault: PasswordFault) -> Self {
        let (code, message) = match fault {
            PasswordFault::Empty => ("INVALID_PASSWORD", "Invalid password".to_owned()),
            PasswordFault::Short(_) => ("PASSWORD_TOO_SHORT", "Password too short".to_owned()),
            PasswordFault::Long => ("PASSWORD_TOO_LONG", "Password too long".to_owned()),
            PasswordFault::Common => ("PASSWORD_TOO_COMMON", format!("Password {fault}")),
        };
        Self::new(StatusCode::BAD_REQUEST, code, message)
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
