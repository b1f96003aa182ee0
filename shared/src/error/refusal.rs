//! The table of refusals of all services: reason, kind and sentence. The kind has the code over
//! gRPC and the status over HTTP; auth-service adds what Better Auth's client expects instead.

use super::Kind;

macro_rules! refusals {
    ($($(#[$group_doc:meta])* $group:ident {
        $($(#[$doc:meta])* $name:ident = $kind:ident, $reason:literal, $message:literal;)+
    })+) => {
        /// The refusal of a call: a reason for programs, a sentence for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
        pub enum Refusal {
            $($($(#[$doc])* #[error($message)] $name,)+)+
        }

        impl Refusal {
            $($(#[$group_doc])* pub const $group: &[Self] = &[$(Self::$name),+];)+

            /// Every row.
            pub const ALL: &[Self] = &[$($(Self::$name),+),+];

            /// The kind, which decides the code and the status.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $($(Self::$name => Kind::$kind,)+)+ }
            }

            /// A constant a program can compare (`ErrorInfo.reason`, `error_code`).
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self { $($(Self::$name => $reason,)+)+ }
            }

            /// The sentence for people.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $($(Self::$name => $message,)+)+ }
            }
        }
    };
}

refusals! {
    /// The refusals of the gate.
    OF_GATE {
        /// No `authorization` metadata.
        MissingToken = Unauthenticated, "MISSING_TOKEN", "Missing authentication token";
        /// Not exactly one `Bearer <token>` (RFC 6750 section 2.1).
        InvalidHeaderFormat = Unauthenticated, "INVALID_HEADER_FORMAT",
            "Invalid authorization header format";
        /// Not a token this service could have issued: shape, encoding, size, header or claims of
        /// a wrong type, or a lifetime beyond the cap.
        MalformedToken = Unauthenticated, "MALFORMED_TOKEN", "Malformed token";
        /// Not signed by a key that is trusted, with the algorithm of that key.
        InvalidTokenSignature = Unauthenticated, "INVALID_TOKEN_SIGNATURE",
            "Invalid token signature";
        /// `exp` has passed.
        TokenExpired = Unauthenticated, "TOKEN_EXPIRED", "Token expired";
        /// `nbf` or `iat` lies ahead.
        TokenNotYetValid = Unauthenticated, "TOKEN_NOT_YET_VALID", "Token not yet valid";
        /// `iss` is not the configured one.
        InvalidIssuer = Unauthenticated, "INVALID_ISSUER", "Invalid token issuer";
        /// `aud` does not contain the configured one.
        InvalidAudience = Unauthenticated, "INVALID_AUDIENCE", "Invalid token audience";
        /// Neither `sub` nor `uid` names a user, or they disagree.
        MissingUidClaim = Unauthenticated, "MISSING_UID_CLAIM",
            "Invalid token: missing or malformed user ID claim";
        /// No published key could be fetched yet, so no token can be verified.
        KeysUnavailable = Unavailable, "TOKEN_KEYS_UNAVAILABLE",
            "Token keys are not available yet";
        /// The user named is not the token's.
        ForbiddenUserAccess = Forbidden, "FORBIDDEN_USER_ACCESS",
            "Access denied: cannot access another user's resources";
    }

    /// The refusals of both services.
    OF_BOTH {
        /// The disk is full.
        StorageFull = Full, "STORAGE_FULL", "There is no room left to store this";
    }

    /// The refusals of task-service.
    OF_TASKS {
        /// The owner has no such task; a task of another user looks alike.
        TaskNotFound = NotFound, "TASK_NOT_FOUND", "Task not found";
        /// The precondition failed: the task is at another version.
        StaleEtag = Stale, "STALE_ETAG", "The task has changed since it was read";
        /// The idempotency key was used with another body, or its task is gone.
        RequestIdReused = Taken, "REQUEST_ID_REUSED",
            "The request_id was used for something else, or what it made is gone";
        /// The task does not repeat, or is completed.
        NotRepeating = Precondition, "NOT_REPEATING", "The task does not repeat, or is done";
        /// The rule has no later occurrence.
        SeriesEnded = Precondition, "SERIES_ENDED", "This is the last occurrence of the task";
        /// The quota is used up.
        QuotaExceeded = Full, "QUOTA_EXCEEDED", "You have as many tasks as one user may, or as \
            large ones: those in the trash count until they are purged";
        /// The limit of concurrent imports is reached.
        TooManyImports = TooMany, "TOO_MANY_IMPORTS",
            "Too many imports at a time, try again when one is over";
        /// The sync cursor is older than the retained deletions.
        SyncTokenTooOld = Gone, "SYNC_TOKEN_TOO_OLD",
            "The sync token is too old: start over without one";
        /// The page cursor is from before a restore of the database.
        PageTokenTooOld = Gone, "PAGE_TOKEN_TOO_OLD",
            "The page token is of another database: start over without one";
        /// The reminder cursor is from before a restore of the database.
        ResumeTokenUnknown = Gone, "RESUME_TOKEN_UNKNOWN",
            "The resume token is of another database: start over without one";
        /// The client certificate of a service is not listed, or there is none.
        CertificateNotListed = Forbidden, "CERTIFICATE_NOT_LISTED",
            "The client certificate is not listed for this service, or missing";
    }

    /// The refusals of auth-service.
    OF_ACCOUNTS {
        /// The session token opens no live session.
        InvalidSession = Unauthenticated, "INVALID_SESSION", "Invalid or expired session";
        /// Unknown e-mail, no password, or a wrong one: never said which.
        InvalidEmailOrPassword = Unauthenticated, "INVALID_EMAIL_OR_PASSWORD",
            "Invalid email or password";
        /// The canonical e-mail has an account.
        EmailTaken = Taken, "EMAIL_TAKEN", "User already exists. Use another email.";
        /// A signed-in user gave a wrong password.
        InvalidPassword = Invalid, "INVALID_PASSWORD", "Invalid password";
        /// The account was made without a password.
        NoPassword = NotFound, "CREDENTIAL_ACCOUNT_NOT_FOUND", "Credential account not found";
        /// The session is older than a day.
        SessionNotFresh = Forbidden, "SESSION_NOT_FRESH", "Session is not fresh";
        /// The user is banned.
        BannedUser = Forbidden, "BANNED_USER", "You have been banned from this application. \
            Please contact support if you believe this is an error.";
        /// The account has a second factor, which this service does not support.
        TwoFactorRequired = Forbidden, "TWO_FACTOR_REQUIRED",
            "This account needs a second factor, which this service cannot ask for";
        /// The e-mail is not verified, where that is required.
        EmailNotVerified = Forbidden, "EMAIL_NOT_VERIFIED", "Email not verified";
        /// Sign-up is disabled by the operator.
        SignUpDisabled = Forbidden, "SIGN_UP_DISABLED",
            "Email and password sign up is not enabled";
        /// A rate limit was reached.
        TooManyAttempts = TooMany, "TOO_MANY_ATTEMPTS",
            "Too many attempts. Please try again later.";
        /// Too many password checks at once.
        Busy = Busy, "BUSY", "The server is busy. Please try again later.";
    }
}

impl Refusal {
    /// The row of a reason.
    #[must_use]
    pub fn with_reason(reason: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|refusal| refusal.reason() == reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_stands_in_one_row() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::with_reason(refusal.reason()), Some(*refusal));
            assert_eq!(refusal.to_string(), refusal.message());
        }
    }

    /// Without its row, such a refusal would be taken for the transport's.
    #[test]
    fn no_kind_of_the_transport_alone_has_a_row() {
        let of_transport = [Kind::TooLarge, Kind::TimedOut, Kind::Internal];
        assert!(Refusal::ALL.iter().all(|refusal| !of_transport.contains(&refusal.kind())));
    }
}
