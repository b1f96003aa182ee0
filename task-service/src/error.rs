//! The errors of calls: a class and a sentence for each.

use std::io::ErrorKind;

use sea_orm::{ConnAcquireErr, DbErr};
use server::db;
use shared::{
    error::{Class, Classified, Kind, Refusal, status},
    fields::{Violation, Violations},
};
use tonic::Status;

use crate::domain::task::CannotSkip;

/// The error of a call.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Invalid fields, at least one.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// Some tasks of a batch are missing.
    #[error(transparent)]
    Missing(Violations),
    /// Some lines of an import are invalid, and nothing was imported.
    #[error("{faulty} of {received} tasks are faulty, and nothing was imported: {faults}")]
    NotImported {
        /// The number of tasks received.
        received: u64,
        /// The number of invalid tasks.
        faulty: u64,
        /// The first faults.
        faults: Violations,
    },
    /// The spool of an import failed.
    #[error("the temporary file does not work as it should")]
    Spool(#[from] std::io::Error),
    /// The call is refused, with a row of the table. By the gate too: the access token expired
    /// during a watch.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed, or holds an invalid value.
    #[error("The database does not answer as it should")]
    Database(#[from] DbErr),
}

impl Error {
    /// The error of a database that did not answer in time.
    pub fn no_answer() -> Self {
        Self::Database(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
    }

    /// Whether the database may answer later: it is unavailable, and not closed, as it is when the
    /// service stops.
    pub fn is_outage(&self) -> bool {
        use ConnAcquireErr::ConnectionClosed;
        let is_closed = matches!(self, Self::Database(DbErr::ConnectionAcquire(ConnectionClosed)));
        !is_closed && self.class() == Kind::Unavailable.into()
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::Invalid(_) | Self::NotImported { .. } => Kind::Invalid.into(),
            Self::Missing(_) => Refusal::TaskNotFound.into(),
            Self::Spool(error) if error.kind() == ErrorKind::StorageFull => {
                Refusal::StorageFull.into()
            }
            Self::Spool(_) => Kind::Unavailable.into(),
            Self::Refused(refusal) => (*refusal).into(),
            Self::Database(error) => db::class(error),
        }
    }

    fn violations(&self) -> &[Violation] {
        match self {
            Self::Invalid(Violations(violations))
            | Self::Missing(Violations(violations))
            | Self::NotImported { faults: Violations(violations), .. } => violations,
            _ => &[],
        }
    }
}

impl From<CannotSkip> for Error {
    fn from(reason: CannotSkip) -> Self {
        Self::Refused(match reason {
            CannotSkip::NotRepeating => Refusal::NotRepeating,
            CannotSkip::SeriesEnded => Refusal::SeriesEnded,
        })
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        status(&error)
    }
}

#[cfg(test)]
mod tests {
    use shared::fields::Fields;
    use tonic::Code;
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn an_outage_may_pass_and_a_closed_database_or_a_refusal_does_not() {
        assert!(Error::no_answer().is_outage());
        let closed = DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed);
        assert!(!Error::from(closed).is_outage());
        assert!(!Error::from(DbErr::Type("priority".into())).is_outage());
        assert!(!Error::from(Refusal::SyncTokenTooOld).is_outage());
    }

    #[test]
    fn every_answer_has_the_code_the_reason_and_the_faults_of_the_contract() {
        let mut fields = Fields::default();
        fields.fault("title", "is long");
        fields.fault("priority", "is odd");
        let violations = fields.finish(Some(())).expect_err("two faults");
        let missing = Error::Missing(violations.clone());
        let not_imported =
            Error::NotImported { received: 9, faulty: 2, faults: violations.clone() };
        let (two, unavailable) =
            ("title is long; priority is odd", "temporarily unavailable, try again");
        let full = Refusal::StorageFull.message();
        for (error, code, reason, message) in [
            (violations.into(), Code::InvalidArgument, "", two),
            (Refusal::TaskNotFound.into(), Code::NotFound, "TASK_NOT_FOUND", "Task not found"),
            (missing, Code::NotFound, "TASK_NOT_FOUND", two),
            (
                not_imported,
                Code::InvalidArgument,
                "",
                "2 of 9 tasks are faulty, and nothing was imported: \
                 title is long; priority is odd",
            ),
            (std::io::Error::other("disk 42").into(), Code::Unavailable, "", unavailable),
            (
                std::io::Error::from(ErrorKind::StorageFull).into(),
                Code::ResourceExhausted,
                "STORAGE_FULL",
                full,
            ),
            (
                CannotSkip::NotRepeating.into(),
                Code::FailedPrecondition,
                "NOT_REPEATING",
                "The task does not repeat, or is done",
            ),
            (
                CannotSkip::SeriesEnded.into(),
                Code::FailedPrecondition,
                "SERIES_ENDED",
                "This is the last occurrence of the task",
            ),
            (Refusal::TokenExpired.into(), Code::Unauthenticated, "TOKEN_EXPIRED", "Token expired"),
            (DbErr::Type("priority".into()).into(), Code::Internal, "", "internal error"),
        ] {
            let faults = error.violations().len();
            let status = Status::from(error);
            let details = status.get_error_details();
            assert_eq!((status.code(), status.message()), (code, message));
            assert_eq!(details.error_info().map_or("", |info| info.reason.as_str()), reason);
            assert_eq!(details.bad_request().map_or(0, |bad| bad.field_violations.len()), faults);
        }
    }
}
