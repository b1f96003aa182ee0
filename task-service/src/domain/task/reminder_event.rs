//! The reminder event: a reminder that has fired.

use uuid::Uuid;

use crate::domain::timestamp::Timestamp;

/// The delay after which a reminder is late, in microseconds: a minute.
const LATE: i64 = 60_000_000;

/// A reminder that has fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderEvent {
    /// The owner of the task.
    pub user_id: String,
    /// The task, which may be deleted by now.
    pub task_id: Uuid,
    /// The time for which it was set.
    pub due_at: Timestamp,
    /// The time at which it fired.
    pub at: Timestamp,
    /// The owner's change number of the event.
    pub revision: i64,
    /// The sequence number over all users.
    pub sequence: i64,
}

impl ReminderEvent {
    /// Whether the reminder fired more than a minute after its time.
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
            let fired = ReminderEvent {
                user_id: "alice".into(),
                task_id: Uuid::nil(),
                due_at: Timestamp::from_micros(7),
                at: Timestamp::from_micros(7 + micros),
                revision: 1,
                sequence: 1,
            };
            assert_eq!(fired.is_late(), late, "{micros}");
        }
    }
}
