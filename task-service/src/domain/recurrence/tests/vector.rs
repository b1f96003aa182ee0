//! A rule, its start, and the days on which it must come true.

use chrono::{Days, NaiveDate, NaiveDateTime};

use super::{
    super::{RepeatFrom, Rule},
    starting,
};
use crate::domain::{due::Due, zone::Zone};

/// One row of a table.
pub struct Vector {
    pub rule: &'static str,
    pub start: &'static str,
    /// Days as `1997: 09-02 09-05..09-11 1998: 01-01`.
    pub days: &'static str,
    /// Whether nothing comes after the last of `days`.
    pub ends: bool,
}

pub const fn ends(rule: &'static str, start: &'static str, days: &'static str) -> Vector {
    Vector { rule, start, days, ends: true }
}

pub const fn goes_on(rule: &'static str, start: &'static str, days: &'static str) -> Vector {
    Vector { rule, start, days, ends: false }
}

impl Vector {
    /// Walks the series in whole days.
    pub fn check_days(&self) {
        self.check(&Due::Date(day(self.start)));
    }

    /// Walks the series at nine by the clock in `zone`.
    pub fn check_at_nine(&self, zone: &str) {
        self.check(&at(&format!("{}T09:00", self.start), zone));
    }

    fn check(&self, start: &Due) {
        let rule = Rule::parse(self.rule).unwrap_or_else(|why| panic!("{}: {why}", self.rule));
        let expected: Vec<_> = days(self.days)
            .into_iter()
            .map(|day| start.moved_to(day.and_time(start.local().time())))
            .collect();
        let recurrence = starting(rule, RepeatFrom::Due, start);
        let mut selected: Vec<_> =
            (expected[0] == *start).then(|| start.clone()).into_iter().collect();
        let mut due = start.clone();
        while selected.len() < expected.len() + usize::from(self.ends) {
            let Some(next) = recurrence.skip(&due, 1) else { break };
            assert!(next.sort_key() > due.sort_key(), "{}", self.rule);
            selected.push(next.clone());
            due = next;
        }
        assert_eq!(selected, expected, "{} from {}", self.rule, self.start);
    }
}

pub fn day(text: &str) -> NaiveDate {
    Due::parse_date(text).unwrap()
}

pub fn time(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap()
}

/// Due when the clock in `zone` shows `text`.
pub fn at(text: &str, zone: &str) -> Due {
    let zone = Zone::parse(zone).unwrap();
    Due::At { moment: zone.instant(time(text)), zone }
}

fn days(text: &str) -> Vec<NaiveDate> {
    let mut year = "";
    let mut days = Vec::new();
    for word in text.split_whitespace() {
        if let Some(said) = word.strip_suffix(':') {
            year = said;
        } else {
            let (first, last) = word.split_once("..").unwrap_or((word, word));
            let last = day(&format!("{year}-{last}"));
            let mut next = day(&format!("{year}-{first}"));
            while next <= last {
                days.push(next);
                next = next + Days::new(1);
            }
        }
    }
    days
}
