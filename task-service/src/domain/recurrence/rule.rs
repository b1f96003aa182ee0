//! The recurrence rule (RRULE) of RFC 5545: its fields, parser and normalised text.

use std::fmt::{self, Display, Write};

use chrono::{NaiveDate, NaiveDateTime, Weekday};
use serde::{Deserialize, Serialize};

use super::{InvalidRule, occurrences::has_occurrence, parts::Parts};
use crate::domain::due::Due;

/// The longest text that is read.
const MAX_BYTES: usize = 500;

/// The greatest INTERVAL.
const MAX_INTERVAL: u16 = 999;

/// The greatest COUNT; occurrences are counted again each time.
const MAX_COUNT: u16 = 1_000;

/// A recurrence rule of RFC 5545 (RRULE) by whole days; the time of day is that of the due.
/// Serialised as its normalised text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    text: String,
    pub(super) frequency: Frequency,
    pub(super) interval: u16,
    pub(super) count: Option<u16>,
    pub(super) until: Option<Until>,
    pub(super) by_month: Vec<u8>,
    pub(super) by_week_no: Vec<i8>,
    pub(super) by_year_day: Vec<i16>,
    pub(super) by_month_day: Vec<i8>,
    pub(super) by_weekday: Vec<NumberedWeekday>,
    pub(super) by_set_pos: Vec<i16>,
    pub(super) week_start: Weekday,
}

/// The frequency of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// Each day.
    Daily,
    /// Each week.
    Weekly,
    /// Each month.
    Monthly,
    /// Each year.
    Yearly,
}

impl Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Monthly => "MONTHLY",
            Self::Yearly => "YEARLY",
        })
    }
}

/// A weekday, or a numbered one of a month or a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumberedWeekday {
    /// The number, negative from the last; `None` for each.
    pub number: Option<i16>,
    pub weekday: Weekday,
}

impl Display for NumberedWeekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.number {
            write!(f, "{number}")?;
        }
        f.write_str(match self.weekday {
            Weekday::Mon => "MO",
            Weekday::Tue => "TU",
            Weekday::Wed => "WE",
            Weekday::Thu => "TH",
            Weekday::Fri => "FR",
            Weekday::Sat => "SA",
            Weekday::Sun => "SU",
        })
    }
}

/// The end of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// All of this date, in the zone of the due.
    Day(NaiveDate),
    /// This time in UTC.
    Utc(NaiveDateTime),
}

impl Until {
    /// Whether `due` is not after the end.
    pub fn allows(self, due: &Due) -> bool {
        match (self, due) {
            (Self::Utc(end), Due::At { moment, .. }) => {
                moment.micros() <= end.and_utc().timestamp_micros()
            }
            (Self::Day(end), _) => due.local().date() <= end,
            (Self::Utc(end), Due::Date(date)) => *date <= end.date(),
        }
    }
}

impl Rule {
    /// Parses a rule, with or without `RRULE:`, in any case. A rule that no day matches is refused.
    pub fn parse(text: &str) -> Result<Self, InvalidRule> {
        let rule = Self::read(text)?;
        if has_occurrence(&rule) { Ok(rule) } else { Err(InvalidRule::Never) }
    }

    /// The normalised text, without `RRULE:`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Parses a rule without the check for an occurrence.
    fn read(text: &str) -> Result<Self, InvalidRule> {
        if text.len() > MAX_BYTES {
            return Err(InvalidRule::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidRule::NotOneLine);
        }
        let text = text.to_ascii_uppercase();
        let parts = Parts::of(text.strip_prefix("RRULE:").unwrap_or(&text))?;
        let mut rule = Self {
            text: String::new(),
            frequency: parts.frequency()?,
            interval: parts.number("INTERVAL", 1..=MAX_INTERVAL)?.unwrap_or(1),
            count: parts.number("COUNT", 1..=MAX_COUNT)?,
            until: parts.until()?,
            by_month: parts.numbers("BYMONTH", 1..=12)?,
            by_week_no: parts.numbers("BYWEEKNO", -53..=53)?,
            by_year_day: parts.numbers("BYYEARDAY", -366..=366)?,
            by_month_day: parts.numbers("BYMONTHDAY", -31..=31)?,
            by_weekday: parts.weekdays()?,
            by_set_pos: parts.numbers("BYSETPOS", -366..=366)?,
            week_start: parts.week_start()?,
        };
        rule.check()?;
        rule.text = rule.fingerprint_parts();
        Ok(rule)
    }

    /// Checks that the parts fit each other.
    fn check(&self) -> Result<(), InvalidRule> {
        let frequency = self.frequency;
        if self.count.is_some() && self.until.is_some() {
            return Err(InvalidRule::TwoEnds);
        }
        for (part, unfitting) in [
            ("BYWEEKNO", !self.by_week_no.is_empty() && frequency != Frequency::Yearly),
            ("BYYEARDAY", !self.by_year_day.is_empty() && frequency != Frequency::Yearly),
            ("BYMONTHDAY", !self.by_month_day.is_empty() && frequency == Frequency::Weekly),
        ] {
            if unfitting {
                return Err(InvalidRule::Unfitting { part, frequency });
            }
        }
        self.check_weekdays()?;
        if !self.by_set_pos.is_empty() && self.by_month.is_empty() && !self.says_days() {
            return Err(InvalidRule::NothingToChoose);
        }
        Ok(())
    }

    fn check_weekdays(&self) -> Result<(), InvalidRule> {
        let most = match self.frequency {
            Frequency::Monthly => 5,
            Frequency::Yearly if self.by_week_no.is_empty() => 53,
            _ => 0,
        };
        for number in self.by_weekday.iter().filter_map(|weekday| weekday.number) {
            if most == 0 {
                return Err(InvalidRule::NumberedWeekday);
            }
            if !(-most..=most).contains(&number) {
                let (least, most) = ((-most).into(), most.into());
                let of = "weekdays, their numbers";
                return Err(InvalidRule::Number { part: "BYDAY", of, least, most });
            }
        }
        Ok(())
    }

    /// Whether the rule names days within its periods; otherwise the start implies them.
    pub(super) fn says_days(&self) -> bool {
        !(self.by_week_no.is_empty()
            && self.by_year_day.is_empty()
            && self.by_month_day.is_empty()
            && self.by_weekday.is_empty())
    }

    fn fingerprint_parts(&self) -> String {
        let mut text = format!("FREQ={}", self.frequency);
        let mut part = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                // Writing to a string does not fail.
                let _ = write!(text, ";{name}={value}");
            }
        };
        part("INTERVAL", (self.interval != 1).then(|| self.interval.to_string()));
        part("COUNT", self.count.map(|count| count.to_string()));
        part(
            "UNTIL",
            self.until.map(|until| match until {
                Until::Day(day) => day.format("%Y%m%d").to_string(),
                Until::Utc(time) => time.format("%Y%m%dT%H%M%SZ").to_string(),
            }),
        );
        part("BYMONTH", list(&self.by_month));
        part("BYWEEKNO", list(&self.by_week_no));
        part("BYYEARDAY", list(&self.by_year_day));
        part("BYMONTHDAY", list(&self.by_month_day));
        part("BYDAY", list(&self.by_weekday));
        part("BYSETPOS", list(&self.by_set_pos));
        let start = NumberedWeekday { number: None, weekday: self.week_start }.to_string();
        part("WKST", (self.week_start != Weekday::Mon).then_some(start));
        text
    }
}

fn list(items: &[impl ToString]) -> Option<String> {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    (!items.is_empty()).then(|| items.join(","))
}

impl TryFrom<String> for Rule {
    type Error = InvalidRule;

    /// For a stored rule.
    fn try_from(text: String) -> Result<Self, InvalidRule> {
        Self::read(&text)
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.text
    }
}
