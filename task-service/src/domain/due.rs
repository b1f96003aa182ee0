//! The due of a task: a calendar date, or an instant in a time zone.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime};

use crate::domain::{timestamp::Timestamp, zone::Zone};

/// Microseconds in a day of UTC.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The due of a task. A date is never converted to an instant and back, so it cannot shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// A calendar date, in the user's own zone.
    Date(NaiveDate),
    /// An instant, shown by the clock of `zone`.
    At {
        /// The instant.
        moment: Timestamp,
        /// The time zone.
        zone: Zone,
    },
}

/// The error of an invalid date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a date such as `2026-11-25`, from 1970 to 9999")]
pub struct InvalidDate;

impl Due {
    /// Parses a date in the form `YYYY-MM-DD`.
    pub fn parse_date(text: &str) -> Result<NaiveDate, InvalidDate> {
        let digits = |range| text.get(range).filter(|part: &&str| part.bytes().all(is_digit));
        let dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        let (Some(year), Some(month), Some(day), true, 10) =
            (digits(0..4), digits(5..7), digits(8..10), dashes, text.len())
        else {
            return Err(InvalidDate);
        };
        let (Ok(year), Ok(month), Ok(day)) = (year.parse(), month.parse(), day.parse()) else {
            return Err(InvalidDate);
        };
        NaiveDate::from_ymd_opt(year, month, day)
            .filter(|date| date.year() >= 1970)
            .ok_or(InvalidDate)
    }

    /// The sort key in microseconds since 1970; of a date its midnight in UTC, so the order is the
    /// same for all users.
    pub fn sort_key(&self) -> i64 {
        match self {
            Self::Date(date) => Zone::UTC.day_start(*date).micros(),
            Self::At { moment, .. } => moment.micros(),
        }
    }

    /// The columns of the due: its sort key, and the zone unless it is a date.
    pub fn to_stored(&self) -> (i64, Option<&str>) {
        match self {
            Self::Date(_) => (self.sort_key(), None),
            Self::At { zone, .. } => (self.sort_key(), Some(zone.as_str())),
        }
    }

    /// The due in the columns of [`Due::to_stored`]; `None` for invalid ones: an unknown zone, or a
    /// date that is no midnight or out of range.
    pub fn from_stored(due: i64, zone: Option<&str>) -> Option<Self> {
        if let Some(zone) = zone {
            let zone = Zone::parse(zone).ok()?;
            return Some(Self::At { moment: Timestamp::from_micros(due), zone });
        }
        if due % DAY != 0 {
            return None;
        }
        let days = Duration::try_days(due / DAY)?;
        NaiveDate::default().checked_add_signed(days).map(Self::Date)
    }

    /// Whether the due has passed at `now` for a user in `zone`: the instant, or the whole date
    /// there.
    pub fn is_overdue(&self, now: Timestamp, zone: &Zone) -> bool {
        match self {
            Self::Date(date) => *date < zone.local(now).date(),
            Self::At { moment, .. } => *moment < now,
        }
    }

    /// The local time of the due in its own zone; of a date its midnight.
    pub fn local(&self) -> NaiveDateTime {
        match self {
            Self::Date(date) => date.and_time(NaiveTime::MIN),
            Self::At { moment, zone } => zone.local(*moment),
        }
    }

    /// A due of the same kind and zone at the local time `local`.
    #[must_use]
    pub fn moved_to(&self, local: NaiveDateTime) -> Self {
        match self {
            Self::Date(_) => Self::Date(local.date()),
            Self::At { zone, .. } => Self::At { moment: zone.instant(local), zone: zone.clone() },
        }
    }
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        Due::parse_date(text).unwrap()
    }

    fn at(local: &str, zone: &str) -> Due {
        let zone = Zone::parse(zone).unwrap();
        Due::At { moment: zone.instant(local.parse().unwrap()), zone }
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        assert_eq!(date("2026-11-25"), NaiveDate::from_ymd_opt(2026, 11, 25).unwrap());
        assert_eq!(date("2028-02-29").to_string(), "2028-02-29");
        for good in ["1970-01-01", "9999-12-31"] {
            assert_eq!(date(good).to_string(), good);
        }
        for bad in [
            "",
            "2026-11-25 ",
            " 2026-11-25",
            "2026-1-25",
            "2026-11-5",
            "26-11-25",
            "20261125",
            "2026/11/25",
            "2026-11-31",
            "2027-02-29",
            "2026-00-10",
            "2026-13-10",
            "1969-12-31",
            "0000-01-01",
            "+026-11-25",
            "2026-+1-25",
            "2026-11-25T00:00:00Z",
            "２026-11-25",
            "2026-11-ü",
        ] {
            assert_eq!(Due::parse_date(bad), Err(InvalidDate), "{bad}");
        }
    }

    #[test]
    fn what_was_stored_comes_back() {
        let dues = [
            Due::Date(date("1970-01-01")),
            Due::Date(date("2026-11-25")),
            Due::Date(date("9999-12-31")),
            at("2026-11-25T09:30:00.000001", "Europe/Berlin"),
            at("1969-12-31T23:59:59", "UTC"),
        ];
        for due in dues {
            let (key, zone) = due.to_stored();
            assert_eq!(key, due.sort_key());
            assert_eq!(Due::from_stored(key, zone), Some(due));
        }
    }

    #[test]
    fn what_was_never_stored_is_no_due() {
        assert_eq!(Due::from_stored(1, None), None);
        assert_eq!(Due::from_stored(DAY - 1, None), None);
        assert_eq!(Due::from_stored(i64::MAX - i64::MAX % DAY, None), None);
        assert_eq!(Due::from_stored(0, Some("Mars/Olympus")), None);
    }

    #[test]
    fn a_moment_is_overdue_when_it_has_passed() {
        let due = at("2026-11-25T09:00:00", "Europe/Berlin");
        let key = due.sort_key();
        for zone in ["Pacific/Kiritimati", "America/Los_Angeles"] {
            let zone = Zone::parse(zone).unwrap();
            assert!(!due.is_overdue(Timestamp::from_micros(key), &zone));
            assert!(due.is_overdue(Timestamp::from_micros(key + 1), &zone));
        }
    }

    #[test]
    fn a_day_is_overdue_when_it_is_over_where_the_user_is() {
        let due = Due::Date(date("2026-11-25"));
        // Noon on the 25th in London.
        let now = Zone::UTC.instant("2026-11-25T12:00:00".parse().unwrap());
        assert!(!due.is_overdue(now, &Zone::UTC));
        assert!(due.is_overdue(now, &Zone::parse("Pacific/Kiritimati").unwrap()), "26th");
        assert!(!due.is_overdue(now, &Zone::parse("America/Los_Angeles").unwrap()), "25th");
    }

    #[test]
    fn the_wall_clock_is_that_of_its_own_zone() {
        let due = at("2026-07-01T09:00:00", "America/New_York");
        assert_eq!(due.local().to_string(), "2026-07-01 09:00:00");
        assert_eq!(
            due.moved_to("2026-12-01T09:00:00".parse().unwrap()).local().to_string(),
            "2026-12-01 09:00:00"
        );
        let day = Due::Date(date("2026-07-01"));
        assert_eq!(day.local().to_string(), "2026-07-01 00:00:00");
        assert_eq!(
            day.moved_to("2026-12-01T09:00:00".parse().unwrap()),
            Due::Date(date("2026-12-01"))
        );
    }
}
