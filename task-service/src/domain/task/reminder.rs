//! The reminders of a task.

use serde::{Deserialize, Serialize};

use crate::domain::{due::Due, timestamp::Timestamp};

/// The most reminders a task may have.
const REMINDERS: usize = 10;

/// The most minutes before a due: a year.
const MAX_MINUTES: i32 = 525_600;

/// A reminder. The serialised form is stored, so its names must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reminder {
    /// At this time, independent of the due.
    At(Timestamp),
    /// This many minutes before the due (relative).
    Before(u32),
}

/// The error of minutes out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have `minutes_before` of 0 to {MAX_MINUTES}")]
pub struct InvalidMinutes;

impl Reminder {
    /// A relative reminder of 0 to a year of minutes.
    pub fn before(minutes: i32) -> Result<Self, InvalidMinutes> {
        match u32::try_from(minutes) {
            Ok(minutes) if minutes <= MAX_MINUTES.unsigned_abs() => Ok(Self::Before(minutes)),
            _ => Err(InvalidMinutes),
        }
    }

    /// The time at which the reminder fires for this due; a relative one needs an instant.
    pub fn fires_at(self, due: Option<&Due>) -> Option<Timestamp> {
        match (self, due) {
            (Self::At(moment), _) => Some(moment),
            (Self::Before(minutes), Some(Due::At { moment, .. })) => {
                Some(moment.minus_minutes(minutes))
            }
            (Self::Before(_), _) => None,
        }
    }

    /// The reminder of a task whose due moved by `later` microseconds.
    fn moved(self, later: i64) -> Self {
        match self {
            Self::At(moment) => {
                Self::At(Timestamp::from_micros(moment.micros().saturating_add(later)))
            }
            relative @ Self::Before(_) => relative,
        }
    }
}

/// The distinct reminders of a task, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reminders(Vec<Reminder>);

/// The error of too many reminders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {REMINDERS}")]
pub struct TooManyReminders;

impl Reminders {
    /// Takes at most 10; duplicates are dropped.
    pub fn new(reminders: Vec<Reminder>) -> Result<Self, TooManyReminders> {
        if reminders.len() > REMINDERS {
            return Err(TooManyReminders);
        }
        let mut kept = Vec::with_capacity(reminders.len());
        for reminder in reminders {
            if !kept.contains(&reminder) {
                kept.push(reminder);
            }
        }
        Ok(Self(kept))
    }

    /// The reminders.
    pub fn as_slice(&self) -> &[Reminder] {
        &self.0
    }

    /// Whether one of them is relative to the due.
    pub fn are_relative(&self) -> bool {
        self.0.iter().any(|reminder| matches!(reminder, Reminder::Before(_)))
    }

    /// The distinct times at which they fire for this due, sorted.
    pub fn moments(&self, due: Option<&Due>) -> Vec<Timestamp> {
        let mut moments: Vec<_> =
            self.0.iter().filter_map(|reminder| reminder.fires_at(due)).collect();
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    /// The reminders of the next occurrence: absolute ones move with the due.
    pub fn moved(&self, from: &Due, to: &Due) -> Self {
        let later = to.sort_key().saturating_sub(from.sort_key());
        Self(self.0.iter().map(|reminder| reminder.moved(later)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::zone::Zone;

    fn at(minutes: i64) -> Due {
        Due::At { moment: Timestamp::from_micros(minutes * 60_000_000), zone: Zone::UTC }
    }

    #[test]
    fn minutes_are_bounded() {
        assert_eq!(Reminder::before(0), Ok(Reminder::Before(0)));
        assert_eq!(Reminder::before(525_600), Ok(Reminder::Before(525_600)));
        assert_eq!([-1, 525_601, i32::MIN].map(Reminder::before), [Err(InvalidMinutes); 3]);
    }

    #[test]
    fn relative_ones_count_from_the_instant_and_need_one() {
        let fixed = Reminder::At(Timestamp::from_micros(5));
        let reminders =
            Reminders::new(vec![Reminder::Before(10), fixed, Reminder::Before(10)]).expect("two");
        assert_eq!(reminders.as_slice().len(), 2);
        let moments = reminders.moments(Some(&at(60)));
        assert_eq!(moments, [Timestamp::from_micros(5), Timestamp::from_micros(50 * 60_000_000)]);
        let date = Due::parse_date("2026-11-25").map(Due::Date).expect("a date");
        assert_eq!(reminders.moments(Some(&date)), [Timestamp::from_micros(5)]);
        assert_eq!(reminders.moments(None), [Timestamp::from_micros(5)]);
        assert!(reminders.are_relative());
        assert_eq!(Reminders::new(vec![fixed; 11]), Err(TooManyReminders));
    }

    #[test]
    fn they_move_on_with_the_task() {
        let fixed = Reminder::At(Timestamp::from_micros(5));
        let reminders = Reminders::new(vec![fixed, Reminder::Before(10)]).expect("two");
        let moved = reminders.moved(&at(0), &at(1));
        let expected = [Reminder::At(Timestamp::from_micros(60_000_005)), Reminder::Before(10)];
        assert_eq!(moved.as_slice(), expected);
    }
}
