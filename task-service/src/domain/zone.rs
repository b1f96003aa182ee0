//! Time zones: between instants and local times.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use jiff::{Timestamp as JiffTimestamp, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::domain::timestamp::Timestamp;

/// A time zone of the IANA database that is compiled in, so every replica has the same. Serialised
/// as its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// The error of an unknown time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an IANA time zone such as `Europe/Berlin`")]
pub struct UnknownZone;

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Parses the name of a zone, spelled as in the IANA database.
    pub fn parse(name: &str) -> Result<Self, UnknownZone> {
        let zone = TimeZone::get(name).map_err(|_| UnknownZone)?;
        // The lookup ignores case.
        if zone.iana_name() == Some(name) { Ok(Self(zone)) } else { Err(UnknownZone) }
    }

    /// The IANA name.
    pub fn as_str(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The local time at `moment`, clamped to the years that can be written.
    pub fn local(&self, moment: Timestamp) -> NaiveDateTime {
        let limit = if moment.micros() < 0 { NaiveDateTime::MIN } else { NaiveDateTime::MAX };
        let utc = DateTime::from_timestamp_micros(moment.micros()).map(|utc| utc.naive_utc());
        // No zone is known to have an offset outside the years 1 to 9999.
        let offset = JiffTimestamp::from_microsecond(moment.micros())
            .map_or(0, |timestamp| self.0.to_offset(timestamp).seconds());
        utc.and_then(|utc| utc.checked_add_signed(TimeDelta::seconds(offset.into())))
            .unwrap_or(limit)
    }

    /// The instant of the local time `local`. As in RFC 5545, an ambiguous time is its first
    /// occurrence, and a time in a gap uses the offset before the gap.
    pub fn instant(&self, local: NaiveDateTime) -> Timestamp {
        let utc = local.and_utc().timestamp_micros();
        let known = civil_time(local)
            .and_then(|local| self.0.to_ambiguous_timestamp(local).compatible().ok());
        Timestamp::from_micros(known.map_or(utc, JiffTimestamp::as_microsecond))
    }

    /// The start of `day`: midnight, or later where a gap begins at midnight.
    pub fn day_start(&self, day: NaiveDate) -> Timestamp {
        self.instant(day.and_time(NaiveTime::MIN))
    }
}

/// `local` as `jiff` has it.
fn civil_time(local: NaiveDateTime) -> Option<civil::DateTime> {
    let (date, time) = (local.date(), local.time());
    let part = |part: u32| i8::try_from(part).ok();
    civil::DateTime::new(
        i16::try_from(date.year()).ok()?,
        part(date.month())?,
        part(date.day())?,
        part(time.hour())?,
        part(time.minute())?,
        part(time.second())?,
        i32::try_from(time.nanosecond()).ok()?,
    )
    .ok()
}

/// UTC.
impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, UnknownZone> {
        Self::parse(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    fn time(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    /// The time in UTC of the local time `local` in the zone `name`.
    fn in_utc(name: &str, local: &str) -> String {
        let moment = zone(name).instant(time(local));
        Zone::UTC.local(moment).format("%Y-%m-%dT%H:%M").to_string()
    }

    #[test]
    fn a_zone_is_spelled_as_the_database_spells_it() {
        for name in ["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+5"] {
            assert_eq!(zone(name).as_str(), name);
            let json = serde_json::to_string(&zone(name)).unwrap();
            assert_eq!(serde_json::from_str::<Zone>(&json).unwrap(), zone(name));
        }
        for name in [
            "",
            "europe/berlin",
            "Berlin",
            "Europe/Berlin ",
            "+02:00",
            "Europe/Atlantis",
            "Etc/Unknown",
            "utc",
        ] {
            assert_eq!(Zone::parse(name), Err(UnknownZone), "{name}");
        }
        assert_eq!(zone("UTC"), Zone::UTC);
    }

    #[test]
    fn a_time_that_comes_twice_is_the_first_one() {
        assert_eq!(in_utc("America/New_York", "2026-11-01T01:30:00"), "2026-11-01T05:30");
        assert_eq!(in_utc("Europe/Berlin", "2026-10-25T02:30:00"), "2026-10-25T00:30");
        assert_eq!(in_utc("Australia/Lord_Howe", "2026-04-05T01:45:00"), "2026-04-04T14:45");
    }

    #[test]
    fn a_time_that_is_left_out_moves_forward_by_the_gap() {
        assert_eq!(in_utc("America/New_York", "2026-03-08T02:30:00"), "2026-03-08T07:30");
        assert_eq!(in_utc("Europe/Berlin", "2026-03-29T02:30:00"), "2026-03-29T01:30");
        // Half an hour.
        assert_eq!(in_utc("Australia/Lord_Howe", "2026-10-04T02:15:00"), "2026-10-03T15:45");
        // A whole day, west to east of the date line.
        assert_eq!(in_utc("Pacific/Apia", "2011-12-30T09:00:00"), "2011-12-30T19:00");
        let shown =
            zone("Pacific/Apia").local(zone("Pacific/Apia").instant(time("2011-12-30T09:00:00")));
        assert_eq!(shown, time("2011-12-31T09:00:00"));
    }

    #[test]
    fn a_day_begins_later_where_midnight_is_left_out() {
        // Cairo puts the clocks forward at midnight.
        let cairo = zone("Africa/Cairo");
        let start = cairo.day_start(NaiveDate::from_ymd_opt(2026, 4, 24).unwrap());
        assert_eq!(cairo.local(start), time("2026-04-24T01:00:00"));
        let before = Timestamp::from_micros(start.micros() - 1);
        assert_eq!(cairo.local(before).date(), NaiveDate::from_ymd_opt(2026, 4, 23).unwrap());
    }

    #[test]
    fn what_the_wall_shows_leads_back_to_the_moment() {
        for name in ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"] {
            for hour in 0..24 * 366 {
                let moment = Timestamp::from_micros((1_767_225_600 + hour * 3_600) * 1_000_000);
                let local = zone(name).local(moment);
                let back = zone(name).instant(local);
                // Within the repeated time it is the first of two.
                assert!(back <= moment, "{name} {local}");
                assert_eq!(zone(name).local(back), local, "{name} {local}");
            }
        }
    }

    #[test]
    fn the_clocks_are_still_changed_in_a_hundred_years() {
        assert_eq!(in_utc("Europe/Berlin", "2126-07-01T09:00:00"), "2126-07-01T07:00");
        assert_eq!(in_utc("Europe/Berlin", "2126-01-01T09:00:00"), "2126-01-01T08:00");
    }

    #[test]
    fn no_moment_is_too_far_away() {
        for name in ["UTC", "Asia/Tokyo", "America/New_York"] {
            for micros in [i64::MIN, i64::MAX] {
                let far = zone(name).local(Timestamp::from_micros(micros));
                zone(name).instant(far);
            }
        }
    }
}
