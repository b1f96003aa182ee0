//! The periods of a rule: its days, weeks, months or years.

use chrono::{Datelike, Months, NaiveDate, TimeDelta};

use super::{Rule, rule::Frequency};

/// A period, and the step to the next one.
#[derive(Debug)]
pub(super) struct Period {
    /// Its first day.
    pub first: NaiveDate,
    frequency: Frequency,
    interval: u16,
}

impl Period {
    /// The last period of `rule` that begins at `seek` or before it, but not before the one
    /// that `start` is in, which is the first.
    pub fn reaching(rule: &Rule, start: NaiveDate, seek: NaiveDate) -> Option<Self> {
        let first = match rule.frequency {
            Frequency::Daily => start,
            Frequency::Weekly => start.week(rule.week_start).checked_first_day()?,
            Frequency::Monthly => start.with_day(1)?,
            Frequency::Yearly => start.with_ordinal(1)?,
        };
        let years = i64::from(seek.year()) - i64::from(first.year());
        let between = match rule.frequency {
            Frequency::Daily => (seek - first).num_days(),
            Frequency::Weekly => (seek - first).num_days().div_euclid(7),
            Frequency::Monthly => years * 12 + i64::from(seek.month()) - i64::from(first.month()),
            Frequency::Yearly => years,
        };
        let interval = i64::from(rule.interval);
        let period = Self { first, frequency: rule.frequency, interval: rule.interval };
        period.later(between.max(0) / interval * interval)
    }

    /// The next period of the rule.
    pub fn next(&self) -> Option<Self> {
        self.later(self.interval.into())
    }

    /// Its days.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let days = match self.frequency {
            Frequency::Daily => 1,
            Frequency::Weekly => 7,
            Frequency::Monthly => self.first.num_days_in_month().into(),
            Frequency::Yearly => 365 + usize::from(self.first.leap_year()),
        };
        self.first.iter_days().take(days)
    }

    /// The one that begins so many days, weeks, months or years later, if there is one.
    fn later(&self, periods: i64) -> Option<Self> {
        let first = match self.frequency {
            Frequency::Daily => self.first.checked_add_signed(TimeDelta::try_days(periods)?),
            Frequency::Weekly => self.first.checked_add_signed(TimeDelta::try_weeks(periods)?),
            Frequency::Monthly => months_later(self.first, periods),
            Frequency::Yearly => months_later(self.first, periods.checked_mul(12)?),
        };
        Some(Self { first: first?, ..*self })
    }
}

fn months_later(day: NaiveDate, months: i64) -> Option<NaiveDate> {
    day.checked_add_months(Months::new(u32::try_from(months).ok()?))
}
