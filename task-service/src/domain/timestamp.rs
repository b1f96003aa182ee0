//! Timestamps as the database and the wire both hold them.

use serde::{Deserialize, Serialize};
use shared::clock::Clock;
use uuid::{NoContext, Uuid};

/// A timestamp in UTC, in whole microseconds since 1970, as both databases store it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The current time of `clock`, truncated to the microsecond.
    pub fn now(clock: &dyn Clock) -> Self {
        Self(clock.now().timestamp_micros())
    }

    /// The timestamp `micros` microseconds after 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// The timestamp `micros` microseconds later.
    pub fn plus_micros(self, micros: usize) -> Self {
        Self(self.0.saturating_add(i64::try_from(micros).unwrap_or(i64::MAX)))
    }

    /// The timestamp `minutes` minutes earlier.
    pub fn minus_minutes(self, minutes: u32) -> Self {
        Self(self.0.saturating_sub(i64::from(minutes) * 60_000_000))
    }

    /// The timestamp `seconds` seconds later.
    #[cfg(test)]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + seconds * 1_000_000)
    }

    /// Whole seconds since 1970, rounded down, and the nanoseconds that are left.
    pub fn seconds_and_nanos(self) -> (i64, u32) {
        let micros = u32::try_from(self.0.rem_euclid(1_000_000)).unwrap_or(0);
        (self.0.div_euclid(1_000_000), micros * 1_000)
    }

    /// A new id (UUID version 7) of this timestamp; before 1970 of 1970.
    pub fn new_id(self) -> Uuid {
        let (seconds, nanos) = self.seconds_and_nanos();
        let seconds = u64::try_from(seconds).unwrap_or(0);
        Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos))
    }
}

#[cfg(test)]
mod tests {
    use shared::clock::ManualClock;

    use super::*;

    #[test]
    fn finer_than_a_microsecond_is_cut_off() {
        let clock =
            ManualClock::at(chrono::DateTime::from_timestamp_nanos(1_700_000_000_123_456_789));
        assert_eq!(Timestamp::now(&clock).micros(), 1_700_000_000_123_456);
        assert_eq!(Timestamp::now(&clock).seconds_and_nanos(), (1_700_000_000, 123_456_000));
        assert_eq!(Timestamp::from_micros(-1).seconds_and_nanos(), (-1, 999_999_000));
    }

    #[test]
    fn ids_carry_their_moment_and_are_all_different() {
        let moment = Timestamp::from_micros(1_700_000_000_123_456);
        let (one, two) = (moment.new_id(), moment.new_id());
        assert_ne!(one, two);
        assert_eq!(one.get_version_num(), 7);
        assert_eq!(one.as_bytes()[..6], 1_700_000_000_123_u64.to_be_bytes()[2..]);
    }
}
