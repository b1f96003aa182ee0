//! Refusals, as far as a caller can see.

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Everything a caller can compare of a refusal: code, words, details to the byte, and
/// metadata but for what differs from call to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    code: Code,
    message: String,
    details: Vec<u8>,
    metadata: Vec<(String, Vec<u8>)>,
}

impl From<&Status> for Answer {
    fn from(status: &Status) -> Self {
        let headers = status.metadata().clone().into_headers();
        let mut metadata: Vec<_> = headers
            .iter()
            .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        metadata.sort();
        Self {
            code: status.code(),
            message: status.message().to_owned(),
            details: status.details().to_vec(),
            metadata,
        }
    }
}

/// `ErrorInfo.reason`; empty where there is none.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// What a test demands of an answer that must be a refusal.
pub trait Refused: Sized {
    /// The status. Panics where the call was answered.
    fn status(self) -> Status;

    /// All of it, to be compared with another one.
    #[track_caller]
    fn answer(self) -> Answer {
        Answer::from(&self.status())
    }

    /// It is refused with this code and `ErrorInfo.reason`.
    #[track_caller]
    fn refused(self, code: Code, why: &str) {
        let status = self.status();
        assert_eq!((status.code(), reason(&status).as_str()), (code, why), "{status:?}");
    }

    /// It is refused as INVALID_ARGUMENT; the fields that break a rule, in order.
    #[track_caller]
    fn faulty(self) -> Vec<String> {
        let status = self.status();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let violations = status.get_details_bad_request().map(|bad| bad.field_violations);
        violations.unwrap_or_default().into_iter().map(|violation| violation.field).collect()
    }
}

impl<T> Refused for Result<T, Status> {
    #[track_caller]
    fn status(self) -> Status {
        match self {
            Ok(_) => panic!("answered, and should have been refused"),
            Err(status) => status,
        }
    }
}
