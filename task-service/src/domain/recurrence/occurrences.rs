//! The occurrences of a rule, period by period: candidates, of which `next` takes one.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};

use super::{
    Rule,
    choice::Choice,
    period::Period,
    rule::{Frequency, NumberedWeekday},
};

/// The horizon of a search, in years. It bounds the cost of a rule with few or no occurrences.
const HORIZON: i32 = 100;

/// The cycle of the calendar in years, with the same weekdays and leap years, from 1901 to 2099.
const CYCLE: i32 = 28;

/// The last year of a date.
const LAST_YEAR: i32 = 9_999;

/// The occurrences of `rule` from `start`, in order, in local time. Those before the period of
/// `seek` may be left out, so the cost does not grow with the age of `start`. COUNT and UNTIL are
/// the caller's.
pub(super) fn occurrences(
    rule: &Rule,
    start: NaiveDateTime,
    seek: NaiveDateTime,
) -> impl Iterator<Item = NaiveDateTime> + use<> {
    let rule = filled_in(rule, start.date());
    selected(periods(&rule, start, seek, HORIZON), Choice::of(&rule), start)
}

/// Whether `rule` has an occurrence within a hundred years, with an interval of 1.
pub(super) fn has_occurrence(rule: &Rule) -> bool {
    let start = NaiveDate::default().and_time(NaiveTime::MIN);
    let mut every = filled_in(rule, start.date());
    every.interval = 1;
    selected(cycle(&every, start), Choice::of(&every), start).next().is_some()
}

/// One full cycle of periods.
fn cycle(rule: &Rule, start: NaiveDateTime) -> impl Iterator<Item = Period> + use<> {
    periods(rule, start, start, CYCLE - 1)
}

/// The periods from that of `seek`, until `years` years later. None if no period is long enough for
/// BYSETPOS.
fn periods(
    rule: &Rule,
    start: NaiveDateTime,
    seek: NaiveDateTime,
    years: i32,
) -> impl Iterator<Item = Period> + use<> {
    let most = match rule.frequency {
        Frequency::Daily => 1,
        Frequency::Weekly => 7,
        Frequency::Monthly => 31,
        Frequency::Yearly => 366,
    };
    let set = Choice::of(rule).set;
    let first = Period::reaching(rule, start.date(), seek.date())
        .filter(|_| set.is_none_or(|places| places.are_within(most)));
    let last_year = LAST_YEAR.min(start.year().max(seek.year()).saturating_add(years));
    std::iter::successors(first, Period::next)
        .take_while(move |period| period.first.year() <= last_year)
}

/// The selected days of `periods`, from `start` on.
fn selected(
    periods: impl Iterator<Item = Period>,
    choice: Choice,
    start: NaiveDateTime,
) -> impl Iterator<Item = NaiveDateTime> {
    periods
        .flat_map(move |period| days(&choice, &period))
        .map(move |day| day.and_time(start.time()))
        .filter(move |candidate| *candidate >= start)
        .take_while(|candidate| candidate.year() <= LAST_YEAR)
}

/// The selected days of one period.
fn days(choice: &Choice, period: &Period) -> Vec<NaiveDate> {
    let mut days: Vec<_> = period.days().filter(|day| choice.fits(*day)).collect();
    if let Some(set) = &choice.set {
        let all = days.len();
        let mut place = 0;
        days.retain(|_| {
            place += 1;
            set.have(place, all)
        });
    }
    days
}

/// `rule` with the parts that its start implies.
///
/// An implied day is the last of the month where a month has no such day: "monthly" on the 31st
/// means the end of the month, which RFC 5545 spells as the last of the days from the 28th on. A
/// day that the rule itself names is left out there.
fn filled_in(rule: &Rule, start: NaiveDate) -> Rule {
    let mut rule = rule.clone();
    let names_days = !(rule.by_month_day.is_empty()
        && rule.by_year_day.is_empty()
        && rule.by_weekday.is_empty());
    if names_days || rule.frequency == Frequency::Daily {
        return rule;
    }
    if rule.frequency == Frequency::Weekly || !rule.by_week_no.is_empty() {
        rule.by_weekday = vec![NumberedWeekday { number: None, weekday: start.weekday() }];
        return rule;
    }
    if rule.frequency == Frequency::Yearly && rule.by_month.is_empty() {
        rule.by_month.extend(u8::try_from(start.month()));
    }
    rule.by_month_day.extend(i8::try_from(start.day()));
    let one_a_period = rule.frequency == Frequency::Monthly || rule.by_month.len() == 1;
    if start.day() > 28 && one_a_period && rule.by_set_pos.is_empty() {
        rule.by_month_day =
            (28_i8..=31).filter(|day| i64::from(*day) <= start.day().into()).collect();
        rule.by_set_pos = vec![-1];
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of days that parsing a rule checks, if none matches.
    fn days_checked(text: &str) -> usize {
        let rule = Rule::try_from(text.to_owned()).expect("a rule");
        let start = NaiveDate::default().and_time(NaiveTime::MIN);
        let checked = cycle(&filled_in(&rule, start.date()), start);
        checked.map(|period| period.days().count()).sum()
    }

    #[test]
    fn reading_a_rule_looks_at_each_day_of_the_calendar_once_at_most() {
        let a_cycle = 28 * 365 + 7;
        for (text, most) in [
            ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", a_cycle),
            ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2", a_cycle + 7),
            ("FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=15", a_cycle),
            ("FREQ=YEARLY;BYMONTH=6;BYWEEKNO=1", a_cycle),
        ] {
            let checked = days_checked(text);
            assert!((a_cycle - 7..=most).contains(&checked), "{text}: {checked}");
        }
    }

    #[test]
    fn a_set_position_that_no_period_has_is_not_searched() {
        let numbers = |from: i16, to: i16| {
            (from..=to).map(|number| number.to_string()).collect::<Vec<_>>().join(",")
        };
        let places = format!(
            "FREQ=DAILY;BYMONTHDAY={};BYDAY=MO,TU,WE,TH,FR,SA,SU;BYMONTH={};BYSETPOS={}",
            numbers(1, 31),
            numbers(1, 12),
            numbers(2, 69),
        );
        assert_eq!(days_checked(&places), 0);
        assert_eq!(days_checked("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=8,-8"), 0);
        assert_eq!(days_checked("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=32"), 0);
        assert_ne!(days_checked("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=32,-31"), 0);
    }
}
