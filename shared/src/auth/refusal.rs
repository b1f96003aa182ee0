//! The refusals of the gate: a reason for programs, a sentence for people.

use tonic::Status;

use crate::error::{Classified, Kind, status};

/// The refusal of a call by the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No `authorization` metadata.
    #[error("Missing authentication token")]
    MissingToken,
    /// Not exactly one `Bearer <token>` (RFC 6750 section 2.1).
    #[error("Invalid authorization header format")]
    InvalidHeaderFormat,
    /// Not a token this service could have issued: shape, encoding, size, header or
    /// claims of a wrong type, or a lifetime beyond the cap.
    #[error("Malformed token")]
    MalformedToken,
    /// Not signed by a key that is trusted, with the algorithm of that key.
    #[error("Invalid token signature")]
    InvalidTokenSignature,
    /// `exp` has passed.
    #[error("Token expired")]
    TokenExpired,
    /// `nbf` or `iat` lies ahead.
    #[error("Token not yet valid")]
    TokenNotYetValid,
    /// `iss` is not the configured one.
    #[error("Invalid token issuer")]
    InvalidIssuer,
    /// `aud` does not contain the configured one.
    #[error("Invalid token audience")]
    InvalidAudience,
    /// Neither `sub` nor `uid` names a user, or they disagree.
    #[error("Invalid token: missing or malformed user ID claim")]
    MissingUidClaim,
    /// No published key could be fetched yet, so no token can be verified.
    #[error("Token keys are not available yet")]
    KeysUnavailable,
    /// The user named is not the token's.
    #[error("Access denied: cannot access another user's resources")]
    ForbiddenUserAccess,
}

impl Classified for Refusal {
    fn kind(&self) -> Kind {
        match self {
            Self::ForbiddenUserAccess => Kind::Forbidden,
            Self::KeysUnavailable => Kind::Unavailable,
            _ => Kind::Unauthenticated,
        }
    }

    fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::MissingToken => "MISSING_TOKEN",
            Self::InvalidHeaderFormat => "INVALID_HEADER_FORMAT",
            Self::MalformedToken => "MALFORMED_TOKEN",
            Self::InvalidTokenSignature => "INVALID_TOKEN_SIGNATURE",
            Self::TokenExpired => "TOKEN_EXPIRED",
            Self::TokenNotYetValid => "TOKEN_NOT_YET_VALID",
            Self::InvalidIssuer => "INVALID_ISSUER",
            Self::InvalidAudience => "INVALID_AUDIENCE",
            Self::MissingUidClaim => "MISSING_UID_CLAIM",
            Self::KeysUnavailable => "TOKEN_KEYS_UNAVAILABLE",
            Self::ForbiddenUserAccess => "FORBIDDEN_USER_ACCESS",
        })
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        status(&refusal)
    }
}
