//! The errors of calls: gRPC codes, reasons and messages for clients.

use std::io::ErrorKind;

use sea_orm::DbErr;
use server::db;
use shared::{
    auth::Refusal,
    error::{Classified, Kind, QUOTA_EXCEEDED, STORAGE_FULL, StorageFull, status},
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
    /// The owner has no such task; a task of another user looks alike.
    #[error("Task not found")]
    NotFound,
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
    /// The disk is full, or the spool folder.
    #[error(transparent)]
    StorageFull(#[from] StorageFull),
    /// The quota is used up.
    #[error(
        "You have as many tasks as one user may, or as large ones: those in the trash count until they are purged"
    )]
    QuotaExceeded,
    /// The precondition failed: the task is at another version.
    #[error("The task has changed since it was read")]
    Stale,
    /// The idempotency key was used with another body, or its task is gone.
    #[error("The request_id was used for something else, or what it made is gone")]
    RequestIdReused,
    /// The limit of concurrent imports is reached.
    #[error("Too many imports at a time, try again when one is over")]
    TooManyImports,
    /// The task does not repeat, or is completed.
    #[error("The task does not repeat, or is done")]
    NotRepeating,
    /// The rule has no later occurrence.
    #[error("This is the last occurrence of the task")]
    SeriesEnded,
    /// The sync cursor is older than the retained deletions.
    #[error("The sync token is too old: start over without one")]
    TooOld,
    /// The page cursor is from before a restore of the database.
    #[error("The page token is of another database: start over without one")]
    PageTooOld,
    /// The reminder cursor is from before a restore of the database.
    #[error("The resume token is of another database: start over without one")]
    UnknownResumeToken,
    /// The access token expired during a watch.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed, or holds an invalid value.
    #[error("The database does not answer as it should")]
    Database(#[from] DbErr),
}

impl Classified for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) | Self::NotImported { .. } => Kind::Invalid,
            Self::Spool(error) if error.kind() == ErrorKind::StorageFull => Kind::Full,
            Self::Spool(_) => Kind::Unavailable,
            Self::StorageFull(_) | Self::QuotaExceeded => Kind::Full,
            Self::NotFound | Self::Missing(_) => Kind::NotFound,
            Self::Stale => Kind::Stale,
            Self::RequestIdReused => Kind::Taken,
            Self::NotRepeating | Self::SeriesEnded => Kind::Precondition,
            Self::TooManyImports => Kind::TooMany,
            Self::TooOld | Self::PageTooOld | Self::UnknownResumeToken => Kind::Gone,
            Self::Refused(refusal) => refusal.kind(),
            Self::Database(error) => db::kind(error),
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NotFound | Self::Missing(_) => Some("TASK_NOT_FOUND"),
            Self::Stale => Some("STALE_ETAG"),
            Self::RequestIdReused => Some("REQUEST_ID_REUSED"),
            Self::NotRepeating => Some("NOT_REPEATING"),
            Self::SeriesEnded => Some("SERIES_ENDED"),
            Self::TooManyImports => Some("TOO_MANY_IMPORTS"),
            Self::TooOld => Some("SYNC_TOKEN_TOO_OLD"),
            Self::PageTooOld => Some("PAGE_TOKEN_TOO_OLD"),
            Self::UnknownResumeToken => Some("RESUME_TOKEN_UNKNOWN"),
            Self::Refused(refusal) => refusal.reason(),
            Self::QuotaExceeded => Some(QUOTA_EXCEEDED),
            Self::StorageFull(_) => Some(STORAGE_FULL),
            Self::Spool(error) if error.kind() == ErrorKind::StorageFull => Some(STORAGE_FULL),
            Self::Database(error) if db::is_disk_full(error) => Some(STORAGE_FULL),
            Self::Invalid(_) | Self::NotImported { .. } | Self::Spool(_) | Self::Database(_) => {
                None
            }
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
        match reason {
            CannotSkip::NotRepeating => Self::NotRepeating,
            CannotSkip::SeriesEnded => Self::SeriesEnded,
        }
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
        let full = "There is no room left to store this";
        for (error, code, reason, message) in [
            (violations.into(), Code::InvalidArgument, "", two),
            (Error::NotFound, Code::NotFound, "TASK_NOT_FOUND", "Task not found"),
            (missing, Code::NotFound, "TASK_NOT_FOUND", two),
            (
                not_imported,
                Code::InvalidArgument,
                "",
                "2 of 9 tasks are faulty, and nothing was imported: \
                 title is long; priority is odd",
            ),
            (std::io::Error::other("disk 42").into(), Code::Unavailable, "", unavailable),
            (StorageFull.into(), Code::ResourceExhausted, STORAGE_FULL, full),
            (
                std::io::Error::from(ErrorKind::StorageFull).into(),
                Code::ResourceExhausted,
                STORAGE_FULL,
                full,
            ),
            (
                Error::QuotaExceeded,
                Code::ResourceExhausted,
                QUOTA_EXCEEDED,
                "You have as many tasks as one user may, or as large ones: those in the trash \
                 count until they are purged",
            ),
            (Error::Stale, Code::Aborted, "STALE_ETAG", "The task has changed since it was read"),
            (
                Error::RequestIdReused,
                Code::AlreadyExists,
                "REQUEST_ID_REUSED",
                "The request_id was used for something else, or what it made is gone",
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
            (
                Error::TooOld,
                Code::OutOfRange,
                "SYNC_TOKEN_TOO_OLD",
                "The sync token is too old: start over without one",
            ),
            (
                Error::PageTooOld,
                Code::OutOfRange,
                "PAGE_TOKEN_TOO_OLD",
                "The page token is of another database: start over without one",
            ),
            (
                Error::UnknownResumeToken,
                Code::OutOfRange,
                "RESUME_TOKEN_UNKNOWN",
                "The resume token is of another database: start over without one",
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
