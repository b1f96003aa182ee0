//! The parser of a rule's parts.

use std::{ops::RangeInclusive, str::FromStr};

use chrono::{NaiveDate, NaiveDateTime, Weekday};

use super::{
    InvalidRule,
    rule::{Frequency, NumberedWeekday, Until},
};

/// The parts that a rule can have.
const KNOWN: [&str; 11] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "BYMONTH",
    "BYWEEKNO",
    "BYYEARDAY",
    "BYMONTHDAY",
    "BYDAY",
    "BYSETPOS",
    "WKST",
];

/// The parts of RFC 5545 about the time of day.
const TIME_OF_DAY: [&str; 3] = ["BYHOUR", "BYMINUTE", "BYSECOND"];

/// Properties beside a rule in calendars.
const NEIGHBOURS: [&str; 6] = ["DTSTART", "DTEND", "EXDATE", "EXRULE", "RDATE", "RRULE"];

/// The parts of a rule, each known and unique.
pub(super) struct Parts<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Parts<'a> {
    /// Splits `text`, which is in capitals.
    pub fn of(text: &'a str) -> Result<Self, InvalidRule> {
        let mut parts = Vec::new();
        for part in text.split(';') {
            if let Some(neighbour) = NEIGHBOURS.into_iter().find(|name| part.starts_with(name)) {
                return Err(InvalidRule::NotAlone(neighbour.to_owned()));
            }
            let Some((name, value)) = part.split_once('=').filter(|(name, _)| !name.is_empty())
            else {
                return Err(InvalidRule::NotAPart(shortened(part)));
            };
            if let Some(time) = TIME_OF_DAY.into_iter().find(|time| *time == name) {
                return Err(InvalidRule::TimeOfDay(time));
            }
            let Some(name) = KNOWN.into_iter().find(|known| *known == name) else {
                return Err(InvalidRule::UnknownPart(shortened(name)));
            };
            if parts.iter().any(|(there, _)| *there == name) {
                return Err(InvalidRule::Twice(name));
            }
            parts.push((name, value));
        }
        Ok(Self(parts))
    }

    /// The text of one part.
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(there, _)| *there == name).map(|(_, value)| *value)
    }

    pub fn frequency(&self) -> Result<Frequency, InvalidRule> {
        match self.get("FREQ").ok_or(InvalidRule::NoFrequency)? {
            "DAILY" => Ok(Frequency::Daily),
            "WEEKLY" => Ok(Frequency::Weekly),
            "MONTHLY" => Ok(Frequency::Monthly),
            "YEARLY" => Ok(Frequency::Yearly),
            "HOURLY" | "MINUTELY" | "SECONDLY" => Err(InvalidRule::TooOften),
            _ => Err(InvalidRule::Frequency),
        }
    }

    /// One number without a sign.
    pub fn number(
        &self,
        part: &'static str,
        limits: RangeInclusive<u16>,
    ) -> Result<Option<u16>, InvalidRule> {
        let Some(text) = self.get(part) else { return Ok(None) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && limits.contains(number));
        number.map(Some).ok_or(InvalidRule::Number {
            part,
            of: "a number",
            least: (*limits.start()).into(),
            most: (*limits.end()).into(),
        })
    }

    /// Numbers in order, each once. Zero is none of them, where they can count backwards.
    pub fn numbers<T>(
        &self,
        part: &'static str,
        limits: RangeInclusive<T>,
    ) -> Result<Vec<T>, InvalidRule>
    where
        T: Copy + Default + FromStr + Into<i32> + Ord,
    {
        let Some(text) = self.get(part) else { return Ok(Vec::new()) };
        let fits = |number: &T| *number != T::default() && limits.contains(number);
        let numbers = text.split(',').map(|number| number.parse().ok().filter(fits));
        let mut numbers = numbers.collect::<Option<Vec<T>>>().ok_or(InvalidRule::Number {
            part,
            of: if (*limits.start()).into() < 0 { "numbers but 0" } else { "numbers" },
            least: (*limits.start()).into(),
            most: (*limits.end()).into(),
        })?;
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    pub fn until(&self) -> Result<Option<Until>, InvalidRule> {
        let Some(text) = self.get("UNTIL") else { return Ok(None) };
        let end = match (text.len(), text.strip_suffix('Z')) {
            (8, None) => NaiveDate::parse_from_str(text, "%Y%m%d").ok().map(Until::Day),
            (16, Some(time)) => {
                NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%S").ok().map(Until::Utc)
            }
            _ => None,
        };
        end.map(Some).ok_or(InvalidRule::Until)
    }

    pub fn week_start(&self) -> Result<Weekday, InvalidRule> {
        self.get("WKST")
            .map_or(Ok(Weekday::Mon), |name| weekday(name).ok_or(InvalidRule::WeekStart))
    }

    /// Weekdays in order, each once, counted or not.
    pub fn weekdays(&self) -> Result<Vec<NumberedWeekday>, InvalidRule> {
        let Some(text) = self.get("BYDAY") else { return Ok(Vec::new()) };
        let weekdays = text.split(',').map(numbered_weekday).collect::<Option<Vec<_>>>();
        let mut weekdays = weekdays.ok_or(InvalidRule::Weekday)?;
        weekdays.sort_unstable_by_key(|day| (day.number, day.weekday.num_days_from_monday()));
        weekdays.dedup();
        Ok(weekdays)
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    match name {
        "MO" => Some(Weekday::Mon),
        "TU" => Some(Weekday::Tue),
        "WE" => Some(Weekday::Wed),
        "TH" => Some(Weekday::Thu),
        "FR" => Some(Weekday::Fri),
        "SA" => Some(Weekday::Sat),
        "SU" => Some(Weekday::Sun),
        _ => None,
    }
}

fn numbered_weekday(text: &str) -> Option<NumberedWeekday> {
    let (number, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let number = match number {
        "" => None,
        number => Some(number.parse().ok().filter(|number| *number != 0)?),
    };
    Some(NumberedWeekday { number, weekday: weekday(name)? })
}

/// As much of `text` as helps to find it.
fn shortened(text: &str) -> String {
    text.chars().take(20).collect()
}
