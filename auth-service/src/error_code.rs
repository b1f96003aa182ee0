//! The table of error codes: what a caller is told on each wire when a call is refused.
//!
//! `error` reads the gRPC half, `http::refusal` the HTTP half; `docs/auth-errors.md` shows
//! the table and is compared with it by a test. What is told by a rule and not by a row:
//! faulty fields over gRPC (`BadRequest`), the refusals of the gate (`shared::auth`), and
//! over HTTP any other status, of which the code is its name.

use http::StatusCode;
use shared::error::{Kind, STORAGE_FULL as NO_ROOM};

/// A refusal, as both wires tell it.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCode {
    /// The gRPC half; `None`: no rpc is refused so.
    pub grpc: Option<GrpcError>,
    /// The status over HTTP.
    pub status: StatusCode,
    /// Better Auth's code; `None` where upstream gives none.
    pub code: Option<&'static str>,
    /// The sentence over HTTP; `None`: it tells what is wrong with this very request.
    pub message: Option<&'static str>,
}

/// The gRPC half of a refusal.
#[derive(Clone, Copy, Debug)]
pub struct GrpcError {
    /// Decides the gRPC code.
    pub kind: Kind,
    /// `ErrorInfo.reason`.
    pub reason: &'static str,
    /// The sentence.
    pub message: &'static str,
}

impl ErrorCode {
    /// A refusal that both wires tell in the same sentence.
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

    /// A refusal of HTTP alone.
    const fn http(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { grpc: None, status, code: Some(code), message: Some(message) }
    }

    /// A refusal of HTTP alone that tells what is wrong with this very request.
    const fn telling(status: StatusCode, code: &'static str) -> Self {
        Self { grpc: None, status, code: Some(code), message: None }
    }
}

/// The sentence of a refusal over gRPC.
pub fn grpc_message(code: &ErrorCode) -> &'static str {
    code.grpc.map_or("", |told| told.message)
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
    /// The same, where an account is to be deleted.
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
    /// The account has a second factor, which is not asked for here.
    TWO_FACTOR_REQUIRED = ErrorCode::both(
        (Kind::Forbidden, "TWO_FACTOR_REQUIRED"),
        (StatusCode::FORBIDDEN, "TWO_FACTOR_REQUIRED"),
        "This account needs a second factor, which this service cannot ask for",
    );
    /// The e-mail is not verified, where that is asked for.
    EMAIL_NOT_VERIFIED = ErrorCode::both(
        (Kind::Forbidden, "EMAIL_NOT_VERIFIED"),
        (StatusCode::FORBIDDEN, "EMAIL_NOT_VERIFIED"),
        "Email not verified",
    );
    /// The operator has accounts made elsewhere alone.
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
    /// Too many passwords are checked.
    BUSY = ErrorCode::both(
        (Kind::Busy, "BUSY"),
        (StatusCode::SERVICE_UNAVAILABLE, "BUSY"),
        "The server is busy. Please try again later.",
    );
    /// The disk is full.
    STORAGE_FULL = ErrorCode::both(
        (Kind::Full, NO_ROOM),
        (StatusCode::INSUFFICIENT_STORAGE, NO_ROOM),
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
    /// The e-mail of a sign-in is none.
    INVALID_EMAIL = ErrorCode::http(StatusCode::BAD_REQUEST, "INVALID_EMAIL", "Invalid email");
    /// An e-mail was sent with a change of the profile.
    EMAIL_CAN_NOT_BE_UPDATED = ErrorCode::http(
        StatusCode::BAD_REQUEST,
        "EMAIL_CAN_NOT_BE_UPDATED",
        "Email can not be updated",
    );
    /// A change of the profile changes nothing. Upstream gives no code.
    NO_FIELDS_TO_UPDATE = ErrorCode {
        grpc: None,
        status: StatusCode::BAD_REQUEST,
        code: None,
        message: Some("No fields to update"),
    };
    /// A mailed token: this server mails none.
    INVALID_TOKEN = ErrorCode::http(StatusCode::NOT_FOUND, "INVALID_TOKEN", "Invalid token");
    /// Members of the body, query parameters or headers break rules; each is named.
    VALIDATION_ERROR = ErrorCode::telling(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    /// The body is no JSON.
    BAD_REQUEST =
        ErrorCode::http(StatusCode::BAD_REQUEST, "BAD_REQUEST", "Invalid JSON in request body");
    /// The body is of another type.
    UNSUPPORTED_MEDIA_TYPE =
        ErrorCode::telling(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
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
