//! The errors of auth-service, as sentences for the caller.

use std::time::Duration;

use sea_orm::DbErr;
use shared::{
    auth::{InvalidUserId, IssueError, Refusal},
    error::{Classified, Kind, StorageFull, status},
    fields::{Violation, Violations},
};
use tonic::Status;

use crate::{
    error_code::{self, ErrorCode, GrpcError, grpc_message},
    password::hashing::HashingError,
    rate_limit::{LimitScope, RateLimitError},
    restriction::Restriction,
    task_client::TaskClientError,
};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Every faulty field.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The new password is a common one.
    #[error(transparent)]
    CommonPassword(Violations),
    /// The call carries no credential, or not exactly one.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The session token opens no live session.
    #[error("{}", grpc_message(&error_code::INVALID_SESSION))]
    InvalidSession,
    /// Unknown e-mail, no password, or a wrong one: never said which.
    #[error("{}", grpc_message(&error_code::INVALID_EMAIL_OR_PASSWORD))]
    InvalidEmailOrPassword,
    /// The canonical e-mail has an account.
    #[error("{}", grpc_message(&error_code::EMAIL_TAKEN))]
    EmailTaken,
    /// A signed-in user gave a wrong password.
    #[error("{}", grpc_message(&error_code::INVALID_PASSWORD))]
    InvalidPassword,
    /// The account was made without a password.
    #[error("{}", grpc_message(&error_code::NO_PASSWORD))]
    NoPassword,
    /// The session is older than a day.
    #[error("{}", grpc_message(&error_code::SESSION_NOT_FRESH))]
    SessionNotFresh,
    /// The account is restricted: banned, second factor or unverified e-mail.
    #[error(transparent)]
    Restricted(#[from] Restriction),
    /// Sign-up is disabled by the operator.
    #[error("{}", grpc_message(&error_code::SIGN_UP_DISABLED))]
    SignUpDisabled,
    /// A rate limit was reached.
    #[error("{}", grpc_message(&error_code::TOO_MANY_ATTEMPTS))]
    TooManyAttempts {
        /// When an attempt is free again, in whole seconds.
        retry_after: Duration,
        /// The scope of the limit.
        by: LimitScope,
    },
    /// A limit of right passwords was reached.
    #[error("{}", grpc_message(&error_code::BUSY))]
    TooManyRight {
        /// When an attempt is free again, in whole seconds.
        retry_after: Duration,
    },
    /// Passwords cannot be hashed now.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// The disk is full.
    #[error(transparent)]
    StorageFull(#[from] StorageFull),
    /// task-service is unavailable or failed.
    #[error(transparent)]
    TaskService(#[from] TaskClientError),
    /// The user's id fits no token: an unusual row of a foreign database.
    #[error(transparent)]
    UserId(#[from] InvalidUserId),
    /// No access token could be signed.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// No session token could be signed.
    #[error("cannot sign a session token")]
    Unsigned,
    /// The operating system has no randomness.
    #[error("no randomness")]
    Random(#[from] getrandom::Error),
}

impl Error {
    /// The row of the error table; `None`: an error without a row.
    pub fn code(&self) -> Option<&'static ErrorCode> {
        Some(match self {
            Self::CommonPassword(_) => &error_code::PASSWORD_TOO_COMMON,
            Self::InvalidSession => &error_code::INVALID_SESSION,
            Self::InvalidEmailOrPassword => &error_code::INVALID_EMAIL_OR_PASSWORD,
            Self::EmailTaken => &error_code::EMAIL_TAKEN,
            Self::InvalidPassword => &error_code::INVALID_PASSWORD,
            Self::NoPassword => &error_code::NO_PASSWORD,
            Self::SessionNotFresh => &error_code::SESSION_NOT_FRESH,
            Self::Restricted(restriction) => restriction.code(),
            Self::SignUpDisabled => &error_code::SIGN_UP_DISABLED,
            Self::TooManyAttempts { .. } => &error_code::TOO_MANY_ATTEMPTS,
            Self::TooManyRight { .. } | Self::Hashing(HashingError::Busy) => &error_code::BUSY,
            Self::StorageFull(_) => &error_code::STORAGE_FULL,
            Self::Database(error) if server::db::is_disk_full(error) => &error_code::STORAGE_FULL,
            Self::Invalid(_)
            | Self::Refused(_)
            | Self::Hashing(_)
            | Self::Database(_)
            | Self::TaskService(_)
            | Self::UserId(_)
            | Self::Issue(_)
            | Self::Unsigned
            | Self::Random(_) => return None,
        })
    }

    fn grpc(&self) -> Option<GrpcError> {
        self.code().and_then(|code| code.grpc)
    }
}

impl Classified for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) | Self::CommonPassword(_) => Kind::Invalid,
            Self::Refused(refusal) => refusal.kind(),
            Self::Database(error) => server::db::kind(error),
            Self::TaskService(_) => Kind::Unavailable,
            _ => self.grpc().map_or(Kind::Internal, |grpc| grpc.kind),
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => refusal.reason(),
            _ => self.grpc().map(|grpc| grpc.reason),
        }
    }

    fn violations(&self) -> &[Violation] {
        match self {
            Self::Invalid(Violations(violations))
            | Self::CommonPassword(Violations(violations)) => violations,
            _ => &[],
        }
    }

    fn retry_after(&self) -> Duration {
        match self {
            Self::TooManyAttempts { retry_after, .. } | Self::TooManyRight { retry_after } => {
                *retry_after
            }
            _ => shared::error::RETRY_AFTER,
        }
    }
}

impl From<RateLimitError> for Error {
    fn from(error: RateLimitError) -> Self {
        match error {
            RateLimitError::TooMany { retry_after, by } => {
                Self::TooManyAttempts { retry_after, by }
            }
            RateLimitError::TooManyRight { retry_after } => Self::TooManyRight { retry_after },
            RateLimitError::Uncounted(error) => Self::Database(error),
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        status(&error)
    }
}
