//! The one way from an error to a [`Status`]: its kind decides the code, the details follow the
//! gRPC rich error model, and nothing internal leaves the process.

use std::{sync::Arc, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::fields::{self, Violation};

/// `ErrorInfo.domain` of every reason this project defines.
const DOMAIN: &str = "auth-and-tasks";

/// `ErrorInfo.reason` of a refusal for lack of disk space.
pub const STORAGE_FULL: &str = "STORAGE_FULL";

/// `ErrorInfo.reason` of a refusal beyond the owner's quota.
pub const QUOTA_EXCEEDED: &str = "QUOTA_EXCEEDED";

/// The error of a full disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There is no room left to store this")]
pub struct StorageFull;

/// The kind of an error, as far as a client can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request breaks a rule; [`Classified::violations`] lists every one.
    Invalid,
    /// No credential, or not a valid one.
    Unauthenticated,
    /// A valid credential without the permission.
    Forbidden,
    /// No such thing, or another user's.
    NotFound,
    /// The thing exists already.
    Taken,
    /// The thing has changed since the client read it.
    Stale,
    /// The state does not allow the call; the same call may succeed once it does.
    Precondition,
    /// The thing existed and is gone; [`Classified::reason`] is required: without one, the code is
    /// the transport's for a message that is too large.
    Gone,
    /// Too many requests, from this client or in total (rate limit).
    TooMany,
    /// Temporarily at capacity (load shedding); the same call may succeed later. Sent with its own
    /// message, and not logged as a failure.
    Busy,
    /// The disk is full, or the owner's quota is used up. [`Classified::reason`] is required: it
    /// distinguishes this from [`Kind::TooMany`] over HTTP. A retry does not help.
    Full,
    /// The database is unavailable or busy, or keys are not loaded yet; the same call may succeed
    /// later.
    Unavailable,
    /// A fault of the server.
    Internal,
}

impl Kind {
    /// The gRPC code this kind is sent as.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Invalid => Code::InvalidArgument,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Forbidden => Code::PermissionDenied,
            Self::NotFound => Code::NotFound,
            Self::Taken => Code::AlreadyExists,
            Self::Stale => Code::Aborted,
            Self::Precondition => Code::FailedPrecondition,
            Self::Gone => Code::OutOfRange,
            Self::TooMany | Self::Full => Code::ResourceExhausted,
            Self::Busy | Self::Unavailable => Code::Unavailable,
            Self::Internal => Code::Internal,
        }
    }
}

/// An error with its classification for clients.
///
/// Its `Display` is sent to the client, except for [`Kind::Unavailable`] and [`Kind::Internal`],
/// which are logged with their sources and sent as a fixed sentence.
pub trait Classified: std::error::Error {
    /// The kind, which decides the code.
    fn kind(&self) -> Kind;

    /// A constant a program can compare (`ErrorInfo.reason`).
    fn reason(&self) -> Option<&'static str> {
        None
    }

    /// Every faulty field, for [`Kind::Invalid`]; for [`Kind::NotFound`], every field that names a
    /// missing thing.
    fn violations(&self) -> &[Violation] {
        &[]
    }

    /// The retry delay after [`Kind::TooMany`], [`Kind::Busy`] and [`Kind::Unavailable`].
    fn retry_after(&self) -> Duration {
        RETRY_AFTER
    }
}

/// The default retry delay.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The status that reports `error` to the client.
#[must_use]
pub fn status(error: &impl Classified) -> Status {
    let kind = error.kind();
    let message = match kind {
        Kind::Internal => {
            tracing::error!(cause = %causes(error), "internal error");
            "internal error".to_owned()
        }
        Kind::Unavailable => {
            tracing::warn!(cause = %causes(error), "unavailable");
            "temporarily unavailable, try again".to_owned()
        }
        Kind::Full => {
            tracing::warn!(cause = %causes(error), "not stored");
            // A database's own message is not sent.
            if error.reason() == Some(STORAGE_FULL) {
                StorageFull.to_string()
            } else {
                error.to_string()
            }
        }
        _ => error.to_string(),
    };
    let mut details = ErrorDetails::new();
    if let Some(reason) = error.reason() {
        details.set_error_info(reason, DOMAIN, [] as [(String, String); 0]);
    }
    for violation in fields::reported(error.violations()) {
        details.add_bad_request_violation(violation.field, violation.message);
    }
    if matches!(kind, Kind::TooMany | Kind::Busy | Kind::Unavailable) {
        details.set_retry_info(Some(error.retry_after()));
    }
    let mut status = Status::with_error_details(kind.code(), message, details);
    if kind == Kind::Internal {
        status.set_source(Arc::new(ServerFault));
    }
    status
}

/// The status of a call that the server refuses by itself: one that does not reach its service,
/// or is not answered in time.
#[must_use]
pub fn refused_call(code: Code, message: &str) -> Status {
    let mut details = ErrorDetails::new();
    if matches!(code, Code::ResourceExhausted | Code::Unavailable) {
        details.set_retry_info(Some(RETRY_AFTER));
    }
    Status::with_error_details(code, message, details)
}

/// The source of a [`status`] of [`Kind::Internal`]: never sent, it marks a server fault for the
/// call chain, as the transport's status for malformed frames has the same code.
#[derive(Debug, thiserror::Error)]
#[error("a fault of this server")]
struct ServerFault;

/// Whether `status` reports a server fault.
#[must_use]
pub fn is_server_fault(status: &Status) -> bool {
    std::error::Error::source(status).is_some_and(<dyn std::error::Error>::is::<ServerFault>)
}

/// `error` and its sources on one line, for the log and for operators.
#[must_use]
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Some errors repeat their source.
        let text = cause.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the words")]
    struct Sample(Kind, #[source] std::io::Error);

    impl Classified for Sample {
        fn kind(&self) -> Kind {
            self.0
        }
        fn reason(&self) -> Option<&'static str> {
            Some("REASON")
        }
        fn retry_after(&self) -> Duration {
            Duration::from_secs(7)
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Faulty(fields::Violations);

    impl Classified for Faulty {
        fn kind(&self) -> Kind {
            Kind::Invalid
        }
        fn violations(&self) -> &[Violation] {
            &self.0.0
        }
    }

    /// Details and message ride in headers, for which clients have limits of their own.
    #[test]
    fn a_refusal_fits_into_a_header_however_much_is_wrong() {
        let mut faults = fields::Fields::default();
        for n in 0..1000 {
            faults.fault(format!("tasks[{n}].title"), "must have 1 to 200 characters");
        }
        let status = status(&Faulty(faults.finish(None::<()>).expect_err("faults")));
        let reported = status.get_details_bad_request().expect("faults").field_violations;
        assert_eq!(reported.len(), fields::MAX_REPORTED + 1);
        assert_eq!(reported[fields::MAX_REPORTED].description, "has 980 more faults");
        assert!(status.message().len() + status.details().len() < 6 * 1024);
    }

    #[test]
    fn every_kind_has_its_code_and_only_server_faults_hide_their_message() {
        for (kind, code, message) in [
            (Kind::Invalid, Code::InvalidArgument, "the words"),
            (Kind::Unauthenticated, Code::Unauthenticated, "the words"),
            (Kind::Forbidden, Code::PermissionDenied, "the words"),
            (Kind::NotFound, Code::NotFound, "the words"),
            (Kind::Taken, Code::AlreadyExists, "the words"),
            (Kind::Stale, Code::Aborted, "the words"),
            (Kind::Precondition, Code::FailedPrecondition, "the words"),
            (Kind::Gone, Code::OutOfRange, "the words"),
            (Kind::TooMany, Code::ResourceExhausted, "the words"),
            (Kind::Busy, Code::Unavailable, "the words"),
            (Kind::Full, Code::ResourceExhausted, "the words"),
            (Kind::Unavailable, Code::Unavailable, "temporarily unavailable, try again"),
            (Kind::Internal, Code::Internal, "internal error"),
        ] {
            let status = status(&Sample(kind, std::io::Error::other("disk serial 42")));
            assert_eq!(status.code(), code);
            assert_eq!(status.message(), message);
            let details = status.get_error_details();
            assert_eq!(details.error_info().expect("a reason").reason, "REASON");
            let waits = matches!(kind, Kind::TooMany | Kind::Busy | Kind::Unavailable);
            let delay = details.retry_info().and_then(|retry| retry.retry_delay);
            assert_eq!(delay, waits.then_some(Duration::from_secs(7)));
            assert!(!String::from_utf8_lossy(status.details()).contains("serial"));
            assert_eq!(is_server_fault(&status), kind == Kind::Internal);
        }
    }
}
