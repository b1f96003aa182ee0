//! Reminders that have fired.

use uuid::Uuid;

use crate::domain::timestamp::Moment;

/// A reminder that fires longer after its time is late, in microseconds: a minute.
const LATE: i64 = 60_000_000;

/// That a task was to be reminded of, and was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// Whose task it is.
    pub user_id: String,
    /// The task; it may be gone by now.
    pub task_id: Uuid,
    /// When it was to fire.
    pub due_at: Moment,
    /// When it did.
    pub at: Moment,
    /// The owner's change number of the firing.
    pub revision: i64,
    /// Counts the firings of all users.
    pub sequence: i64,
}

impl Fired {
    /// Whether it fired more than a minute after its time.
    pub fn is_late(&self) -> bool {
        self.at.micros().saturating_sub(self.due_at.micros()) > LATE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_minute_after_its_time_is_late() {
        for (micros, late) in [(0, false), (LATE, false), (LATE + 1, true), (-1, false)] {
            let fired = Fired {
                user_id: "alice".into(),
                task_id: Uuid::nil(),
                due_at: Moment::from_micros(7),
                at: Moment::from_micros(7 + micros),
                revision: 1,
                sequence: 1,
            };
            assert_eq!(fired.is_late(), late, "{micros}");
        }
    }
}
