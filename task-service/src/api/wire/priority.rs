//! Priorities on the wire.

use proto::task::v1 as pb;

use crate::domain::task::Priority;

/// The error of an unknown priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be low, medium, high or urgent")]
pub struct UnknownPriority;

/// The priority with this number on the wire; `UNSPECIFIED` is none.
pub fn priority(number: i32) -> Result<Priority, UnknownPriority> {
    match pb::Priority::try_from(number) {
        Ok(pb::Priority::Low) => Ok(Priority::Low),
        Ok(pb::Priority::Medium) => Ok(Priority::Medium),
        Ok(pb::Priority::High) => Ok(Priority::High),
        Ok(pb::Priority::Urgent) => Ok(Priority::Urgent),
        Ok(pb::Priority::Unspecified) | Err(_) => Err(UnknownPriority),
    }
}

impl From<Priority> for pb::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Low => Self::Low,
            Priority::Medium => Self::Medium,
            Priority::High => Self::High,
            Priority::Urgent => Self::Urgent,
        }
    }
}
