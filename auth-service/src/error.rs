//! Everything that can go wrong here, as sentences for the caller.

use std::time::Duration;

use sea_orm::DbErr;
use shared::{
    auth::{InvalidUserId, IssueError, Refusal},
    error::{Classified, Kind, STORAGE_FULL, StorageFull, status},
    fields::{Violation, Violations},
};
use tonic::Status;

use crate::{attempts::Limited, hashing::HashingError, peer::PeerFault, restriction::Restriction};

/// Why a call was not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Every faulty field.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The new password is among the first that anybody would try.
    #[error(transparent)]
    CommonPassword(Violations),
    /// The call carries no credential, or not exactly one.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The session token opens no live session.
    #[error("Invalid or expired session")]
    InvalidSession,
    /// Unknown e-mail, no password, or a wrong one: never said which.
    #[error("Invalid email or password")]
    InvalidEmailOrPassword,
    /// The canonical e-mail has an account.
    #[error("User already exists. Use another email.")]
    EmailTaken,
    /// A signed-in user gave a wrong password.
    #[error("Invalid password")]
    InvalidPassword,
    /// The account was made without a password.
    #[error("Credential account not found")]
    NoPassword,
    /// The session is older than a day.
    #[error("Session is not fresh")]
    SessionNotFresh,
    /// The account is there, and may not be used, or not like this.
    #[error(transparent)]
    Restricted(#[from] Restriction),
    /// The operator has accounts made elsewhere alone.
    #[error("Email and password sign up is not enabled")]
    SignUpDisabled,
    /// A limit of attempts was reached.
    #[error("Too many attempts. Please try again later.")]
    TooManyAttempts {
        /// When there is one again, in whole seconds.
        retry_after: Duration,
        /// Whose it is.
        by: Limited,
    },
    /// A limit of right passwords was reached.
    #[error("The server is busy. Please try again later.")]
    TooManyRight {
        /// When there is one again, in whole seconds.
        retry_after: Duration,
    },
    /// Passwords cannot be hashed now.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// There is no room to store more.
    #[error(transparent)]
    StorageFull(#[from] StorageFull),
    /// task-service is away, or does not do what it should.
    #[error(transparent)]
    Peer(#[from] PeerFault),
    /// The user's id is none that a token can carry: an odd row of a foreign database.
    #[error(transparent)]
    UserId(#[from] InvalidUserId),
    /// No access token could be signed.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// No session token could be signed.
    #[error("cannot sign a session token")]
    Unsigned,
    /// The operating system gives no randomness.
    #[error("no randomness")]
    Random(#[from] getrandom::Error),
}

impl Classified for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) | Self::CommonPassword(_) | Self::InvalidPassword => Kind::Invalid,
            Self::Refused(refusal) => refusal.kind(),
            Self::InvalidSession | Self::InvalidEmailOrPassword => Kind::Unauthenticated,
            Self::EmailTaken => Kind::Taken,
            Self::NoPassword => Kind::NotFound,
            Self::SessionNotFresh | Self::Restricted(_) | Self::SignUpDisabled => Kind::Forbidden,
            Self::TooManyAttempts { .. } => Kind::TooMany,
            Self::TooManyRight { .. } | Self::Hashing(HashingError::Busy) => Kind::Busy,
            Self::Database(error) => server::db::kind(error),
            Self::StorageFull(_) => Kind::Full,
            Self::Peer(_) => Kind::Unavailable,
            Self::Hashing(_)
            | Self::UserId(_)
            | Self::Issue(_)
            | Self::Unsigned
            | Self::Random(_) => Kind::Internal,
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => refusal.reason(),
            Self::InvalidSession => Some("INVALID_SESSION"),
            Self::InvalidEmailOrPassword => Some("INVALID_EMAIL_OR_PASSWORD"),
            Self::EmailTaken => Some("EMAIL_TAKEN"),
            Self::InvalidPassword => Some("INVALID_PASSWORD"),
            Self::NoPassword => Some("CREDENTIAL_ACCOUNT_NOT_FOUND"),
            Self::SessionNotFresh => Some("SESSION_NOT_FRESH"),
            Self::Restricted(restriction) => Some(restriction.reason()),
            Self::SignUpDisabled => Some("SIGN_UP_DISABLED"),
            Self::TooManyAttempts { .. } => Some("TOO_MANY_ATTEMPTS"),
            Self::TooManyRight { .. } | Self::Hashing(HashingError::Busy) => Some("BUSY"),
            Self::StorageFull(_) => Some(STORAGE_FULL),
            Self::Database(error) if server::db::is_full(error) => Some(STORAGE_FULL),
            _ => None,
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

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        status(&error)
    }
}
