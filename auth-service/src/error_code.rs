//! The table of Better Auth's codes: what its client is told over HTTP.
//!
//! A row that stands for a refusal of `shared` names it; the other rows are of HTTP alone. A test
//! compares `docs/errors.md` with the table. Without a row: invalid fields over gRPC
//! (`BadRequest`), and over HTTP any other status, whose name is the code.

use http::StatusCode;
use shared::error::Refusal;

/// An error over HTTP.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCode {
    /// The refusal over gRPC; `None`: HTTP only.
    pub refusal: Option<Refusal>,
    /// The status over HTTP.
    pub status: StatusCode,
    /// Better Auth's code; `None` where upstream gives none.
    pub code: Option<&'static str>,
    /// The message over HTTP; `None`: specific to the request.
    pub message: Option<&'static str>,
}

impl ErrorCode {
    /// A refusal that Better Auth has too: with the status of its kind, its reason as code.
    const fn same(refusal: Refusal) -> Self {
        Self::renamed(refusal, refusal.kind().http_status(), refusal.reason())
    }

    /// A refusal with a status and a code of Better Auth's.
    const fn renamed(refusal: Refusal, status: StatusCode, code: &'static str) -> Self {
        Self { refusal: Some(refusal), ..Self::http(status, code, refusal.message()) }
    }

    /// An error of HTTP alone.
    const fn http(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { refusal: None, status, code: Some(code), message: Some(message) }
    }

    /// An error of HTTP alone whose message is specific to the request.
    const fn specific(status: StatusCode, code: &'static str) -> Self {
        Self { refusal: None, status, code: Some(code), message: None }
    }
}

/// The row of a refusal. Those of the gate have none: Better Auth tells no more than that there is
/// no session.
pub fn of(refusal: Refusal) -> &'static ErrorCode {
    ALL.iter().find(|row| row.refusal == Some(refusal)).unwrap_or(&UNAUTHORIZED)
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $row:expr;)+) => {
        $($(#[$doc])* pub const $name: ErrorCode = $row;)+

        /// Every row.
        pub const ALL: &[ErrorCode] = &[$($name),+];
    };
}

error_codes! {
    /// The session token opens no live session.
    INVALID_SESSION = ErrorCode { refusal: Some(Refusal::InvalidSession), ..UNAUTHORIZED };
    /// No session token, or one that opens nothing.
    UNAUTHORIZED = ErrorCode::http(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Unauthorized");
    /// Unknown e-mail, no password, or a wrong one.
    INVALID_EMAIL_OR_PASSWORD = ErrorCode::same(Refusal::InvalidEmailOrPassword);
    /// The e-mail has an account.
    EMAIL_TAKEN = ErrorCode::renamed(
        Refusal::EmailTaken,
        StatusCode::UNPROCESSABLE_ENTITY,
        "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
    );
    /// A signed-in user gave a wrong password.
    INVALID_PASSWORD = ErrorCode::same(Refusal::InvalidPassword);
    /// The account has no password.
    NO_PASSWORD = ErrorCode::renamed(
        Refusal::NoPassword,
        StatusCode::BAD_REQUEST,
        "CREDENTIAL_ACCOUNT_NOT_FOUND",
    );
    /// The session is older than a day.
    SESSION_NOT_FRESH = ErrorCode::same(Refusal::SessionNotFresh);
    /// The session is older than a day, at the deletion of an account.
    SESSION_EXPIRED = ErrorCode::http(
        StatusCode::BAD_REQUEST,
        "SESSION_EXPIRED",
        "Session expired. Re-authenticate to perform this action.",
    );
    /// The user is banned.
    BANNED_USER = ErrorCode::same(Refusal::BannedUser);
    /// The account has a second factor, which this service does not support.
    TWO_FACTOR_REQUIRED = ErrorCode::same(Refusal::TwoFactorRequired);
    /// The e-mail is not verified, where that is required.
    EMAIL_NOT_VERIFIED = ErrorCode::same(Refusal::EmailNotVerified);
    /// Sign-up is disabled by the operator.
    SIGN_UP_DISABLED = ErrorCode::renamed(
        Refusal::SignUpDisabled,
        StatusCode::BAD_REQUEST,
        "EMAIL_PASSWORD_SIGN_UP_DISABLED",
    );
    /// A rate limit was reached. Upstream gives 429 no code.
    TOO_MANY_ATTEMPTS = ErrorCode { refusal: Some(Refusal::TooManyAttempts), ..TOO_MANY_REQUESTS };
    /// Any other limit.
    TOO_MANY_REQUESTS = ErrorCode {
        refusal: None,
        status: StatusCode::TOO_MANY_REQUESTS,
        code: None,
        message: Some("Too many requests. Please try again later."),
    };
    /// Too many password checks at once.
    BUSY = ErrorCode::same(Refusal::Busy);
    /// The disk is full.
    STORAGE_FULL = ErrorCode::same(Refusal::StorageFull);
    /// The new password is under the minimum.
    PASSWORD_TOO_SHORT =
        ErrorCode::http(StatusCode::BAD_REQUEST, "PASSWORD_TOO_SHORT", "Password too short");
    /// The password is over the maximum.
    PASSWORD_TOO_LONG =
        ErrorCode::http(StatusCode::BAD_REQUEST, "PASSWORD_TOO_LONG", "Password too long");
    /// The new password is a common one.
    PASSWORD_TOO_COMMON = ErrorCode::http(
        StatusCode::BAD_REQUEST,
        "PASSWORD_TOO_COMMON",
        "Password is among the most common passwords or is the account's own name",
    );
    /// The e-mail of a sign-in is invalid.
    INVALID_EMAIL = ErrorCode::http(StatusCode::BAD_REQUEST, "INVALID_EMAIL", "Invalid email");
    /// An e-mail was sent with a change of the profile.
    EMAIL_CAN_NOT_BE_UPDATED = ErrorCode::http(
        StatusCode::BAD_REQUEST,
        "EMAIL_CAN_NOT_BE_UPDATED",
        "Email can not be updated",
    );
    /// An update without fields. Upstream gives no code.
    NO_FIELDS_TO_UPDATE = ErrorCode {
        refusal: None,
        status: StatusCode::BAD_REQUEST,
        code: None,
        message: Some("No fields to update"),
    };
    /// A mailed token: this server sends none.
    INVALID_TOKEN = ErrorCode::http(StatusCode::NOT_FOUND, "INVALID_TOKEN", "Invalid token");
    /// Members of the body, query parameters or headers break rules; each is named.
    VALIDATION_ERROR = ErrorCode::specific(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    /// The body is no JSON.
    BAD_REQUEST =
        ErrorCode::http(StatusCode::BAD_REQUEST, "BAD_REQUEST", "Invalid JSON in request body");
    /// The body is of another type.
    UNSUPPORTED_MEDIA_TYPE =
        ErrorCode::specific(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
    /// A session is asked for by POST.
    METHOD_NOT_ALLOWED = ErrorCode::http(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED",
        "POST method requires deferSessionRefresh to be enabled in session config",
    );
    /// A foreign site navigates to a sign-in (csrf).
    CROSS_SITE_NAVIGATION = ErrorCode::http(
        StatusCode::FORBIDDEN,
        "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
        "Cross-site navigation login blocked. This request appears to be a CSRF attack.",
    );
    /// A request with cookies names no origin (csrf).
    MISSING_OR_NULL_ORIGIN =
        ErrorCode::http(StatusCode::FORBIDDEN, "MISSING_OR_NULL_ORIGIN", "Missing or null Origin");
    /// The origin is not trusted (csrf).
    INVALID_ORIGIN = ErrorCode::http(StatusCode::FORBIDDEN, "INVALID_ORIGIN", "Invalid origin");
    /// The `callbackURL` leads elsewhere.
    INVALID_CALLBACK_URL =
        ErrorCode::http(StatusCode::FORBIDDEN, "INVALID_CALLBACK_URL", "Invalid callbackURL");
}
