//! The one way from an error to a [`Status`]: what is wrong decides the code, the details
//! ride in the gRPC rich error model, and nothing internal leaves the process.

use std::{sync::Arc, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::fields::{self, Violation};

/// `ErrorInfo.domain` of every reason this project defines.
const DOMAIN: &str = "auth-and-tasks";

/// `ErrorInfo.reason` of what is refused because there is no room for it.
pub const STORAGE_FULL: &str = "STORAGE_FULL";

/// `ErrorInfo.reason` of what is refused because its owner has enough.
pub const QUOTA_EXCEEDED: &str = "QUOTA_EXCEEDED";

/// There is no room to store something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There is no room left to store this")]
pub struct StorageFull;

/// What went wrong, as far as a caller can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request breaks a rule; [`Classified::violations`] lists every one.
    Invalid,
    /// No credential, or not a valid one.
    Unauthenticated,
    /// A valid credential that does not reach this far.
    Forbidden,
    /// No such thing, or somebody else's.
    NotFound,
    /// It is there already.
    Taken,
    /// It has changed since the caller read it.
    Stale,
    /// It is not in the state that the call needs; the same call may succeed once it is.
    Precondition,
    /// It was there and is no more; [`Classified::reason`] says what, and must: without a
    /// reason, the code is the transport's word for a message that is too large.
    Gone,
    /// The caller, or all callers together, ask for too much.
    TooMany,
    /// More is asked for than there is room for right now, whoever asks; the same call may
    /// succeed later. Sent with its own words, and not logged as trouble.
    Busy,
    /// There is no room to store it: the disk is full, or its owner has as much as anybody may.
    /// [`Classified::reason`] says which, and must: it is what tells it from
    /// [`Kind::TooMany`] over HTTP. Repeating it changes nothing.
    Full,
    /// The database is away or busy, or keys are not there yet; the same call may succeed later.
    Unavailable,
    /// A fault of ours.
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

/// An error that knows what a caller may be told about it.
///
/// Its `Display` is sent to the caller, except for [`Kind::Unavailable`] and
/// [`Kind::Internal`], which are logged with their sources and sent as a fixed sentence.
pub trait Classified: std::error::Error {
    /// Decides the code on the wire.
    fn kind(&self) -> Kind;

    /// A constant a program can compare (`ErrorInfo.reason`).
    fn reason(&self) -> Option<&'static str> {
        None
    }

    /// Every faulty field, for [`Kind::Invalid`]; for [`Kind::NotFound`], every field that names
    /// something that is not there.
    fn violations(&self) -> &[Violation] {
        &[]
    }

    /// How long a caller should wait after [`Kind::TooMany`], [`Kind::Busy`] and
    /// [`Kind::Unavailable`].
    fn retry_after(&self) -> Duration {
        RETRY_AFTER
    }
}

/// How long a caller should wait where nobody knows better.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The status that tells the caller of `error`.
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
            // The words of a database are its own.
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
    for violation in fields::told(error.violations()) {
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

/// The source of a [`status`] of [`Kind::Internal`]: never sent, it tells the call chain that
/// the server is to blame. What the transport says of frames it cannot read has the same code.
#[derive(Debug, thiserror::Error)]
#[error("a fault of this server")]
struct ServerFault;

/// Whether `status` tells of a fault of this server.
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
        // Some repeat what they were caused by.
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
        let told = status.get_details_bad_request().expect("faults").field_violations;
        assert_eq!(told.len(), fields::MAX_TOLD + 1);
        assert_eq!(told[fields::MAX_TOLD].description, "has 980 more faults");
        assert!(status.message().len() + status.details().len() < 6 * 1024);
    }

    #[test]
    fn every_kind_has_its_code_and_only_faults_of_ours_hide_their_words() {
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
