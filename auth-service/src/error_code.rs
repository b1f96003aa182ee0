//! The table of error codes on both wires.
//!
//! `error` reads the gRPC half, `http::api_error` the HTTP half; a test compares
//! `docs/auth-errors.md` with the table. Without a row: invalid fields over gRPC (`BadRequest`),
//! the refusals of the gate (`shared::auth`), and over HTTP any other status, whose name is the
//! code.

use http::StatusCode;
use shared::error::{Kind, STORAGE_FULL as STORAGE_FULL_REASON};

/// An error on both wires.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCode {
    /// The gRPC half; `None`: HTTP only.
    pub grpc: Option<GrpcError>,
    /// The status over HTTP.
    pub status: StatusCode,
    /// Better Auth's code; `None` where upstream gives none.
    pub code: Option<&'static str>,
    /// The message over HTTP; `None`: specific to the request.
    pub message: Option<&'static str>,
}

/// The gRPC half of an error.
#[derive(Clone, Copy, Debug)]
pub struct GrpcError {
    /// The kind, which determines the gRPC code.
    pub kind: Kind,
    /// `ErrorInfo.reason`.
    pub reason: &'static str,
    /// The message.
    pub message: &'static str,
}

impl ErrorCode {
    /// An error with one message on both wires.
    const fn both(
        (kind, reason): (Kind, &'static str),
        (status, code): (StatusCode, &'static str),
        message: &'static str,
    ) -> Self {
        Self {
            grpc: Some(GrpcError { kind, reason, message }),
            ..Self::http(status, code, message)
        }
    }

    /// An error of HTTP alone.
    const fn http(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { grpc: None, status, code: Some(code), message: Some(message) }
    }

    /// An error of HTTP alone whose message is specific to the request.
    const fn specific(status: StatusCode, code: &'static str) -> Self {
        Self { grpc: None, status, code: Some(code), message: None }
    }
}

/// The message of an error over gRPC.
pub fn grpc_message(code: &ErrorCode) -> &'static str {
    code.grpc.map_or("", |grpc| grpc.message)
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $row:expr;)+) => {
        $($(#[$doc])* pub const $name: ErrorCode = $row;)+

        /// Every row.
        #[cfg(test)]
        pub const ALL: &[ErrorCode] = &[$($name),+];
    };
}

error_codes! {
    /// The session token opens no live session.
    INVALID_SESSION = ErrorCode {
        grpc: Some(GrpcError {
            kind: Kind::Unauthenticated,
            reason: "INVALID_SESSION",
            message: "Invalid or expired session",
        }),
        ..UNAUTHORIZED
    };
    /// No session token, or one that opens nothing.
    UNAUTHORIZED = ErrorCode::http(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Unauthorized");
    /// Unknown e-mail, no password, or a wrong one.
    INVALID_EMAIL_OR_PASSWORD = ErrorCode::both(
        (Kind::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD"),
        (StatusCode::UNAUTHORIZED, "INVALID_EMAIL_OR_PASSWORD"),
        "Invalid email or password",
    );
    /// The e-mail has an account.
    EMAIL_TAKEN = ErrorCode::both(
        (Kind::Taken, "EMAIL_TAKEN"),
        (StatusCode::UNPROCESSABLE_ENTITY, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"),
        "User already exists. Use another email.",
    );
    /// A signed-in user gave a wrong password.
    INVALID_PASSWORD = ErrorCode::both(
        (Kind::Invalid, "INVALID_PASSWORD"),
        (StatusCode::BAD_REQUEST, "INVALID_PASSWORD"),
        "Invalid password",
    );
    /// The account has no password.
    NO_PASSWORD = ErrorCode::both(
        (Kind::NotFound, "CREDENTIAL_ACCOUNT_NOT_FOUND"),
        (StatusCode::BAD_REQUEST, "CREDENTIAL_ACCOUNT_NOT_FOUND"),
        "Credential account not found",
    );
    /// The session is older than a day.
    SESSION_NOT_FRESH = ErrorCode::both(
        (Kind::Forbidden, "SESSION_NOT_FRESH"),
        (StatusCode::FORBIDDEN, "SESSION_NOT_FRESH"),
        "Session is not fresh",
    );
    /// The session is older than a day, at the deletion of an account.
    SESSION_EXPIRED = ErrorCode::http(
        StatusCode::BAD_REQUEST,
        "SESSION_EXPIRED",
        "Session expired. Re-authenticate to perform this action.",
    );
    /// The user is banned.
    BANNED_USER = ErrorCode::both(
        (Kind::Forbidden, "BANNED_USER"),
        (StatusCode::FORBIDDEN, "BANNED_USER"),
        "You have been banned from this application. Please contact support if you believe \
         this is an error.",
    );
    /// The account has a second factor, which this service does not support.
    TWO_FACTOR_REQUIRED = ErrorCode::both(
        (Kind::Forbidden, "TWO_FACTOR_REQUIRED"),
        (StatusCode::FORBIDDEN, "TWO_FACTOR_REQUIRED"),
        "This account needs a second factor, which this service cannot ask for",
    );
    /// The e-mail is not verified, where that is required.
    EMAIL_NOT_VERIFIED = ErrorCode::both(
        (Kind::Forbidden, "EMAIL_NOT_VERIFIED"),
        (StatusCode::FORBIDDEN, "EMAIL_NOT_VERIFIED"),
        "Email not verified",
    );
    /// Sign-up is disabled by the operator.
    SIGN_UP_DISABLED = ErrorCode::both(
        (Kind::Forbidden, "SIGN_UP_DISABLED"),
        (StatusCode::BAD_REQUEST, "EMAIL_PASSWORD_SIGN_UP_DISABLED"),
        "Email and password sign up is not enabled",
    );
    /// A rate limit was reached. Upstream gives 429 no code.
    TOO_MANY_ATTEMPTS = ErrorCode {
        grpc: Some(GrpcError {
            kind: Kind::TooMany,
            reason: "TOO_MANY_ATTEMPTS",
            message: "Too many attempts. Please try again later.",
        }),
        ..TOO_MANY_REQUESTS
    };
    /// Any other limit.
    TOO_MANY_REQUESTS = ErrorCode {
        grpc: None,
        status: StatusCode::TOO_MANY_REQUESTS,
        code: None,
        message: Some("Too many requests. Please try again later."),
    };
    /// Too many password checks at once.
    BUSY = ErrorCode::both(
        (Kind::Busy, "BUSY"),
        (StatusCode::SERVICE_UNAVAILABLE, "BUSY"),
        "The server is busy. Please try again later.",
    );
    /// The disk is full.
    STORAGE_FULL = ErrorCode::both(
        (Kind::Full, STORAGE_FULL_REASON),
        (StatusCode::INSUFFICIENT_STORAGE, STORAGE_FULL_REASON),
        "There is no room left to store this",
    );
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
        grpc: None,
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
