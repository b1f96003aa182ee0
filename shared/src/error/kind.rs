//! The kinds of errors: the gRPC code, the HTTP status and the retry advice of each.

use http::StatusCode;
use tonic::Code;

use super::Refusal;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:ident, $status:ident, $error_code:literal;)+) => {
        /// The kind of an error, as far as a client can act on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $name,)+
        }

        impl Kind {
            /// Every kind. Of those with one gRPC code, a status without a reason is of the first.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The gRPC code this kind is sent as.
            #[must_use]
            pub const fn code(self) -> Code {
                match self { $(Self::$name => Code::$code,)+ }
            }

            /// The HTTP status this kind is sent as.
            #[must_use]
            pub const fn http_status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// The error code over HTTP of an error without a reason.
            #[must_use]
            pub const fn error_code(self) -> &'static str {
                match self { $(Self::$name => $error_code,)+ }
            }
        }
    };
}

kinds! {
    /// The request breaks a rule; [`Classified::violations`](super::Classified::violations) lists
    /// every one.
    Invalid = InvalidArgument, BAD_REQUEST, "INVALID_ARGUMENT";
    /// No credential, or not a valid one.
    Unauthenticated = Unauthenticated, UNAUTHORIZED, "UNAUTHENTICATED";
    /// A valid credential without the permission.
    Forbidden = PermissionDenied, FORBIDDEN, "PERMISSION_DENIED";
    /// No such thing, or another user's.
    NotFound = NotFound, NOT_FOUND, "NOT_FOUND";
    /// The thing exists already.
    Taken = AlreadyExists, CONFLICT, "CONFLICT";
    /// The thing has changed since the client read it.
    Stale = Aborted, PRECONDITION_FAILED, "PRECONDITION_FAILED";
    /// The state does not allow the call; the same call may succeed once it does.
    Precondition = FailedPrecondition, CONFLICT, "FAILED_PRECONDITION";
    /// The message is larger than the limit, which is the transport's finding.
    TooLarge = OutOfRange, PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE";
    /// The thing existed and is gone. Only refusals of the table are of this kind.
    Gone = OutOfRange, GONE, "GONE";
    /// Too many requests, from this client or in total (rate limit).
    TooMany = ResourceExhausted, TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED";
    /// The disk is full, or the owner's quota is used up (RFC 4331 section 3 has both); a retry
    /// does not help. Only refusals of the table are of this kind.
    Full = ResourceExhausted, INSUFFICIENT_STORAGE, "INSUFFICIENT_STORAGE";
    /// Temporarily at capacity (load shedding); the same call may succeed later. Sent with its own
    /// message, and not logged as a failure.
    Busy = Unavailable, SERVICE_UNAVAILABLE, "UNAVAILABLE";
    /// The database is unavailable or busy, or keys are not loaded yet; the same call may succeed
    /// later.
    Unavailable = Unavailable, SERVICE_UNAVAILABLE, "UNAVAILABLE";
    /// The call took longer than its deadline.
    TimedOut = DeadlineExceeded, SERVICE_UNAVAILABLE, "DEADLINE_EXCEEDED";
    /// A fault of the server.
    Internal = Internal, INTERNAL_SERVER_ERROR, "INTERNAL";
}

impl Kind {
    /// Whether the same call may succeed after a delay, which the client is told.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::TooMany | Self::Busy | Self::Unavailable)
    }

    /// The kind of a status that arrives encoded. A reason stands in one row of the table, which
    /// decides; the code alone is of the transport, or of a call that did not reach its service.
    #[must_use]
    pub fn of(code: Code, reason: Option<&str>) -> Self {
        if let Some(refusal) = reason.and_then(Refusal::with_reason) {
            return refusal.kind();
        }
        if code == Code::Cancelled {
            return Self::TimedOut;
        }
        let known = Self::ALL.iter().copied().find(|kind| kind.code() == code);
        known.unwrap_or(Self::Internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_alone_is_of_a_kind_that_needs_no_reason() {
        for kind in Kind::ALL.iter().copied() {
            let other = match kind {
                Kind::Gone => Kind::TooLarge,
                Kind::Full => Kind::TooMany,
                Kind::Unavailable => Kind::Busy,
                kind => kind,
            };
            for reason in [None, Some("OF_ANOTHER_SERVICE")] {
                assert_eq!(Kind::of(kind.code(), reason), other);
            }
        }
        assert_eq!(Kind::of(Code::Cancelled, None), Kind::TimedOut);
        for code in [Code::Unknown, Code::Unimplemented, Code::DataLoss, Code::Ok] {
            assert_eq!(Kind::of(code, None), Kind::Internal);
        }
    }
}
