//! The days on which a rule comes true, period by period.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};

use super::{
    Rule,
    period::Period,
    rule::{Frequency, NumberedWeekday},
};

/// How far a walk goes, in years: what is further away does not come. It bounds what a rule
/// costs that hardly ever or never comes true: at most so many years of days are looked at.
const HORIZON: i32 = 100;

/// The last year that a day can have.
const LAST_YEAR: i32 = 9_999;

/// When `rule` comes true if it starts at `start`, in order, by the clock on the wall. What
/// lies before the period that `seek` is in may be left out, so it costs the same however
/// long ago the start was. COUNT and UNTIL are up to the caller.
pub(super) fn slots(
    rule: &Rule,
    start: NaiveDateTime,
    seek: NaiveDateTime,
) -> impl Iterator<Item = NaiveDateTime> + use<> {
    let rule = filled_in(rule, start.date());
    let first = Period::reaching(&rule, start.date(), seek.date());
    let last_year = LAST_YEAR.min(start.year().max(seek.year()).saturating_add(HORIZON));
    std::iter::successors(first, Period::next)
        .take_while(move |period| period.first.year() <= last_year)
        .flat_map(move |period| days(&rule, &period))
        .map(move |day| day.and_time(start.time()))
        .filter(move |slot| *slot >= start)
        .take_while(|slot| slot.year() <= LAST_YEAR)
}

/// The days of one period on which `rule` comes true.
fn days(rule: &Rule, period: &Period) -> Vec<NaiveDate> {
    let mut days: Vec<_> = period.days().filter(|day| fits(rule, *day)).collect();
    if !rule.by_set_pos.is_empty() {
        let all = days.len();
        let mut place = 0;
        days.retain(|_| {
            place += 1;
            is_listed(&rule.by_set_pos, place, all)
        });
    }
    days
}

/// Whether `day` is all that `rule` asks for.
fn fits(rule: &Rule, day: NaiveDate) -> bool {
    let in_month = usize::from(day.num_days_in_month());
    (rule.by_month.is_empty() || rule.by_month.iter().any(|month| u32::from(*month) == day.month()))
        && (rule.by_month_day.is_empty()
            || is_listed(&rule.by_month_day, day.day() as usize, in_month))
        && (rule.by_year_day.is_empty()
            || is_listed(&rule.by_year_day, day.ordinal() as usize, days_in_year(day)))
        && (rule.by_week_no.is_empty() || is_in_week(rule, day))
        && (rule.by_weekday.is_empty()
            || rule.by_weekday.iter().any(|weekday| is_weekday(rule, day, *weekday)))
}

/// Whether the week that `day` is in is one of those the rule names. A week belongs to the
/// year that has most of its days.
fn is_in_week(rule: &Rule, day: NaiveDate) -> bool {
    let from_start = day.weekday().days_since(rule.week_start);
    let middle = i64::from(3) - i64::from(from_start);
    let Some(middle) = TimeDelta::try_days(middle).and_then(|days| day.checked_add_signed(days))
    else {
        return false;
    };
    let week = middle.ordinal0() as usize / 7 + 1;
    let later = (days_in_year(middle) - middle.ordinal() as usize) / 7;
    is_listed(&rule.by_week_no, week, week + later)
}

/// Whether `day` is that weekday, and the one of that number in its month or year.
fn is_weekday(rule: &Rule, day: NaiveDate, asked: NumberedWeekday) -> bool {
    if day.weekday() != asked.weekday {
        return false;
    }
    let Some(number) = asked.number else { return true };
    let (place, all) = if rule.frequency == Frequency::Yearly && rule.by_month.is_empty() {
        (day.ordinal0() as usize, days_in_year(day))
    } else {
        (day.day0() as usize, day.num_days_in_month().into())
    };
    let later = (all - 1 - place) / 7;
    is_listed(&[number], place / 7 + 1, place / 7 + 1 + later)
}

/// Whether the `place`th of `all` is named in `list`, from the first or from the last.
fn is_listed<T: Copy + Into<i64>>(list: &[T], place: usize, all: usize) -> bool {
    list.iter().any(|number| {
        let number: i64 = (*number).into();
        let named = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
        named == if number > 0 { place } else { all + 1 - place }
    })
}

fn days_in_year(day: NaiveDate) -> usize {
    if day.leap_year() { 366 } else { 365 }
}

/// `rule` with what it leaves to its start.
///
/// A day that the start implies is the last of the month where a month has no such day: who
/// says "monthly" on the 31st means the end of the month. RFC 5545 can say that: the last of
/// the days from the 28th on. A day that the rule itself names is left out there.
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
