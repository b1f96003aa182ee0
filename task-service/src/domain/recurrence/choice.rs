//! The days that a rule selects, as bit sets, so a check costs the same however much the rule
//! lists.

use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};

use super::{
    Rule,
    rule::{Frequency, NumberedWeekday},
};

/// The BY lists of a rule.
#[derive(Debug)]
pub(super) struct Choice {
    months: Option<u16>,
    month_days: Option<Ordinals<1>>,
    year_days: Option<Ordinals<6>>,
    weeks: Option<Ordinals<1>>,
    week_start: Weekday,
    weekdays: Option<Weekdays>,
    /// BYSETPOS: the positions among the selected days of a period.
    pub set: Option<Ordinals<6>>,
}

impl Choice {
    /// The BY lists of `rule`.
    pub fn of(rule: &Rule) -> Self {
        let months = rule.by_month.iter().fold(0, |months, month| months | 1 << *month);
        Self {
            months: (!rule.by_month.is_empty()).then_some(months),
            month_days: Ordinals::of(&rule.by_month_day),
            year_days: Ordinals::of(&rule.by_year_day),
            weeks: Ordinals::of(&rule.by_week_no),
            week_start: rule.week_start,
            weekdays: Weekdays::of(rule),
            set: Ordinals::of(&rule.by_set_pos),
        }
    }

    /// Whether `day` matches all lists but BYSETPOS.
    pub fn fits(&self, day: NaiveDate) -> bool {
        self.months.is_none_or(|months| months >> day.month() & 1 == 1)
            && self.weekdays.as_ref().is_none_or(|weekdays| weekdays.have(day))
            && self.month_days.as_ref().is_none_or(|listed| {
                listed.have(day.day() as usize, usize::from(day.num_days_in_month()))
            })
            && self
                .year_days
                .as_ref()
                .is_none_or(|listed| listed.have(day.ordinal() as usize, days_in_year(day)))
            && self.weeks.as_ref().is_none_or(|listed| self.is_in_week(listed, day))
    }

    /// Whether the week of `day` is listed. A week belongs to the year that has most of its days.
    fn is_in_week(&self, listed: &Ordinals<1>, day: NaiveDate) -> bool {
        let from_start = day.weekday().days_since(self.week_start);
        let middle = i64::from(3) - i64::from(from_start);
        let Some(middle) =
            TimeDelta::try_days(middle).and_then(|days| day.checked_add_signed(days))
        else {
            return false;
        };
        let week = middle.ordinal0() as usize / 7 + 1;
        let later = (days_in_year(middle) - middle.ordinal() as usize) / 7;
        listed.have(week, week + later)
    }
}

/// Ordinals below 64 times `WORDS`, as bits, from the first and from the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ordinals<const WORDS: usize> {
    from_first: [u64; WORDS],
    from_last: [u64; WORDS],
}

impl<const WORDS: usize> Ordinals<WORDS> {
    const NONE: Self = Self { from_first: [0; WORDS], from_last: [0; WORDS] };

    /// The ordinals in `list`, negative ones from the last; `None` if it is empty.
    fn of<T: Copy + Into<i64>>(list: &[T]) -> Option<Self> {
        let mut places = Self::NONE;
        for number in list {
            places.add((*number).into());
        }
        (!list.is_empty()).then_some(places)
    }

    fn add(&mut self, number: i64) {
        let side = if number > 0 { &mut self.from_first } else { &mut self.from_last };
        let place = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
        if let Some(word) = side.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    /// Whether the `place`th of `all` is listed, from the first or from the last.
    pub fn have(&self, place: usize, all: usize) -> bool {
        let is_set = |words: &[u64; WORDS], place: usize| {
            words.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
        };
        is_set(&self.from_first, place) || is_set(&self.from_last, all + 1 - place)
    }

    /// Whether a period of at most `most` days has one of them.
    pub fn are_within(&self, most: usize) -> bool {
        (1..=most).any(|place| self.have(place, most))
    }
}

/// BYDAY: weekdays, each or numbered in a month or a year.
#[derive(Debug)]
struct Weekdays {
    /// Weekdays without a number, as bits from Monday on.
    each: u8,
    /// The numbers of each weekday, from Monday on.
    numbered: [Ordinals<1>; 7],
    /// Whether they are numbered in the year, not in the month.
    in_year: bool,
}

impl Weekdays {
    fn of(rule: &Rule) -> Option<Self> {
        let in_year = rule.frequency == Frequency::Yearly && rule.by_month.is_empty();
        let mut weekdays = Self { each: 0, numbered: [Ordinals::NONE; 7], in_year };
        for NumberedWeekday { number, weekday } in &rule.by_weekday {
            match number {
                None => weekdays.each |= 1 << weekday.num_days_from_monday(),
                Some(number) => weekdays.numbered[*weekday as usize].add((*number).into()),
            }
        }
        (!rule.by_weekday.is_empty()).then_some(weekdays)
    }

    fn have(&self, day: NaiveDate) -> bool {
        let weekday = day.weekday();
        if self.each >> weekday.num_days_from_monday() & 1 == 1 {
            return true;
        }
        let (before, all) = if self.in_year {
            (day.ordinal0() as usize, days_in_year(day))
        } else {
            (day.day0() as usize, day.num_days_in_month().into())
        };
        let (place, later) = (before / 7 + 1, (all - 1 - before) / 7);
        self.numbered[weekday as usize].have(place, place + later)
    }
}

fn days_in_year(day: NaiveDate) -> usize {
    if day.leap_year() { 366 } else { 365 }
}
