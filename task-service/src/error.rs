//! Everything that can go wrong, as sentences a caller may read.

use sea_orm::DbErr;
use shared::{
    db,
    error::{Classified, Kind, status},
    fields::{Violation, Violations},
};
use tonic::Status;

/// Why a call did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Every faulty field, at least one.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The owner has no such task. Whether somebody else has is not for the owner to know.
    #[error("Task not found")]
    NotFound,
    /// The caller's change is based on another version.
    #[error("The task has changed since it was read")]
    Stale,
    /// The key came with another body before, or its task is gone.
    #[error("The request_id was used for another task")]
    RequestIdReused,
    /// The database failed, or holds what the code does not understand.
    #[error("The database does not answer as it should")]
    Database(#[from] DbErr),
}

impl Classified for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Invalid(_) => Kind::Invalid,
            Self::NotFound => Kind::NotFound,
            Self::Stale => Kind::Stale,
            Self::RequestIdReused => Kind::Taken,
            Self::Database(error) => db::kind(error),
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NotFound => Some("TASK_NOT_FOUND"),
            Self::Stale => Some("STALE_ETAG"),
            Self::RequestIdReused => Some("REQUEST_ID_REUSED"),
            Self::Invalid(_) | Self::Database(_) => None,
        }
    }

    fn violations(&self) -> &[Violation] {
        match self {
            Self::Invalid(Violations(violations)) => violations,
            _ => &[],
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
        for (error, code, reason, message) in [
            (Error::NotFound, Code::NotFound, "TASK_NOT_FOUND", "Task not found"),
            (Error::Stale, Code::Aborted, "STALE_ETAG", "The task has changed since it was read"),
            (
                Error::RequestIdReused,
                Code::AlreadyExists,
                "REQUEST_ID_REUSED",
                "The request_id was used for another task",
            ),
            (violations.into(), Code::InvalidArgument, "", "title is long; priority is odd"),
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
