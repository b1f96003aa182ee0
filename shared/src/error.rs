//! The one way from an error to a [`Status`]: its class decides the code, the details follow the
//! gRPC rich error model, and nothing internal leaves the process.

mod kind;
mod refusal;

use std::{sync::Arc, time::Duration};

use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt};

pub use self::{kind::Kind, refusal::Refusal};
use crate::fields::{self, Violation};

/// `ErrorInfo.domain` of every reason this project defines.
const DOMAIN: &str = "auth-and-tasks";

/// The message of an unavailable database, whatever the cause.
pub const UNAVAILABLE: &str = "temporarily unavailable, try again";

/// The message of a fault of the server, whatever the cause.
pub const INTERNAL: &str = "internal error";

/// The class of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A row of the table of refusals.
    Refusal(Refusal),
    /// A kind alone, without a reason.
    Kind(Kind),
}

impl Class {
    /// The kind, which decides the code and the status.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Refusal(refusal) => refusal.kind(),
            Self::Kind(kind) => kind,
        }
    }
}

impl From<Refusal> for Class {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Kind> for Class {
    fn from(kind: Kind) -> Self {
        Self::Kind(kind)
    }
}

/// An error with its classification for clients.
///
/// Its `Display` is sent to the client, except for [`Kind::Full`], [`Kind::Unavailable`] and
/// [`Kind::Internal`], which are logged with their sources and sent as a fixed sentence.
pub trait Classified: std::error::Error {
    /// The class, which decides the code, the status and the reason.
    fn class(&self) -> Class;

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
    let class = error.class();
    let kind = class.kind();
    let message = match (class, kind) {
        (Class::Refusal(refusal), Kind::Full) => {
            tracing::warn!(cause = %causes(error), "not stored");
            refusal.message().to_owned()
        }
        (_, Kind::Internal) => {
            tracing::error!(cause = %causes(error), "internal error");
            INTERNAL.to_owned()
        }
        (_, Kind::Unavailable) => {
            tracing::warn!(cause = %causes(error), "unavailable");
            UNAVAILABLE.to_owned()
        }
        _ => error.to_string(),
    };
    let mut details = ErrorDetails::new();
    if let Class::Refusal(refusal) = class {
        details.set_error_info(refusal.reason(), DOMAIN, [] as [(String, String); 0]);
    }
    for violation in fields::reported(error.violations()) {
        details.add_bad_request_violation(violation.field, violation.message);
    }
    if kind.is_retryable() {
        details.set_retry_info(Some(error.retry_after()));
    }
    let mut status = Status::with_error_details(kind.code(), message, details);
    if kind == Kind::Internal {
        status.set_source(Arc::new(ServerFault));
    }
    status
}

impl Classified for Refusal {
    fn class(&self) -> Class {
        Class::Refusal(*self)
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        status(&refusal)
    }
}

/// The status of a call that the server refuses by itself: one that does not reach its service,
/// or is not answered in time.
#[must_use]
pub fn refused_call(kind: Kind, message: &str) -> Status {
    let mut details = ErrorDetails::new();
    if kind.is_retryable() {
        details.set_retry_info(Some(RETRY_AFTER));
    }
    Status::with_error_details(kind.code(), message, details)
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
    use tonic::Code;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the words")]
    struct Sample(Class, #[source] std::io::Error);

    impl Classified for Sample {
        fn class(&self) -> Class {
            self.0
        }
        fn retry_after(&self) -> Duration {
            Duration::from_secs(7)
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Faulty(fields::Violations);

    impl Classified for Faulty {
        fn class(&self) -> Class {
            Kind::Invalid.into()
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
    fn every_class_has_its_code_and_only_server_faults_hide_their_message() {
        let words = "the words";
        for (class, code, message) in [
            (Kind::Invalid.into(), Code::InvalidArgument, words),
            (Kind::Precondition.into(), Code::FailedPrecondition, words),
            (Kind::TooMany.into(), Code::ResourceExhausted, words),
            (Kind::Busy.into(), Code::Unavailable, words),
            (Kind::Unavailable.into(), Code::Unavailable, UNAVAILABLE),
            (Kind::Internal.into(), Code::Internal, INTERNAL),
            (Class::from(Refusal::TokenExpired), Code::Unauthenticated, words),
            (Refusal::ForbiddenUserAccess.into(), Code::PermissionDenied, words),
            (Refusal::TaskNotFound.into(), Code::NotFound, words),
            (Refusal::RequestIdReused.into(), Code::AlreadyExists, words),
            (Refusal::StaleEtag.into(), Code::Aborted, words),
            (Refusal::SyncTokenTooOld.into(), Code::OutOfRange, words),
            (Refusal::KeysUnavailable.into(), Code::Unavailable, UNAVAILABLE),
            (
                Refusal::StorageFull.into(),
                Code::ResourceExhausted,
                "There is no room left to store this",
            ),
        ] {
            let status = status(&Sample(class, std::io::Error::other("disk serial 42")));
            assert_eq!((status.code(), status.message()), (code, message));
            let details = status.get_error_details();
            let reason = match class {
                Class::Refusal(refusal) => Some(refusal.reason()),
                Class::Kind(_) => None,
            };
            assert_eq!(details.error_info().map(|info| &*info.reason), reason);
            let kind = class.kind();
            let waits = matches!(kind, Kind::TooMany | Kind::Busy | Kind::Unavailable);
            let delay = details.retry_info().and_then(|retry| retry.retry_delay);
            assert_eq!(delay, waits.then_some(Duration::from_secs(7)));
            assert!(!String::from_utf8_lossy(status.details()).contains("serial"));
            assert_eq!(is_server_fault(&status), kind == Kind::Internal);
        }
    }
}
