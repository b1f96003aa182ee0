//! The errors of auth-service, as sentences for the caller.

use std::time::Duration;

use sea_orm::DbErr;
use server::db;
use shared::{
    auth::{InvalidUserId, IssueError},
    error::{Class, Classified, Kind, Refusal, status},
    fields::{Violation, Violations},
};
use tonic::Status;

use crate::{
    error_code::{self, ErrorCode},
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
    /// The call is refused, with a row of the table. Without a credential, or not exactly one,
    /// with a row of the gate.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The account is restricted: banned, second factor or unverified e-mail.
    #[error(transparent)]
    Restricted(#[from] Restriction),
    /// A rate limit was reached.
    #[error("{}", Refusal::TooManyAttempts)]
    TooManyAttempts {
        /// When an attempt is free again, in whole seconds.
        retry_after: Duration,
        /// The scope of the limit.
        by: LimitScope,
    },
    /// A limit of right passwords was reached.
    #[error("{}", Refusal::Busy)]
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
    /// The row of the table of Better Auth's codes; `None`: an error without a row.
    pub fn code(&self) -> Option<&'static ErrorCode> {
        match (self, self.class()) {
            (Self::CommonPassword(_), _) => Some(&error_code::PASSWORD_TOO_COMMON),
            (_, Class::Refusal(refusal)) => Some(error_code::of(refusal)),
            (_, Class::Kind(_)) => None,
        }
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::Invalid(_) | Self::CommonPassword(_) => Kind::Invalid.into(),
            Self::Refused(refusal) => (*refusal).into(),
            Self::Restricted(restriction) => restriction.refusal().into(),
            Self::TooManyAttempts { .. } => Refusal::TooManyAttempts.into(),
            Self::TooManyRight { .. } | Self::Hashing(HashingError::Busy) => Refusal::Busy.into(),
            Self::Database(error) => db::class(error),
            Self::TaskService(_) => Kind::Unavailable.into(),
            Self::Hashing(_)
            | Self::UserId(_)
            | Self::Issue(_)
            | Self::Unsigned
            | Self::Random(_) => Kind::Internal.into(),
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
