//! The priority of a task.

use serde::Serialize;

/// The priority of a task. The numbers are stored and must not change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Priority {
    /// Can wait.
    Low = 1,
    /// The default.
    #[default]
    Medium = 2,
    /// Soon.
    High = 3,
    /// Now.
    Urgent = 4,
}

impl Priority {
    /// The priority with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Urgent]
            .into_iter()
            .find(|p| p.number() == number)
    }

    /// The stored number.
    pub fn number(self) -> i64 {
        self as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_priority_is_found_by_its_number_and_no_other_number_is_one() {
        for priority in [Priority::Low, Priority::Medium, Priority::High, Priority::Urgent] {
            assert_eq!(Priority::from_number(priority.number()), Some(priority));
        }
        assert_eq!([0, 5, -1].map(Priority::from_number), [None, None, None]);
    }
}
