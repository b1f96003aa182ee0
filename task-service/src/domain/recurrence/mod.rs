//! What comes back: when a task is due next, after it was completed or skipped.
//!
//! Days are walked as the clock on the wall shows them, and become moments only then: what
//! is due at nine is due at nine in summer and in winter.

mod choice;
mod invalid;
mod occurrences;
mod parts;
mod period;
mod rule;

use chrono::{Duration, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use self::occurrences::slots;
pub use self::{invalid::InvalidRule, rule::Rule};
use crate::domain::{due::Due, timestamp::Moment, zone::Zone};

/// More than a clock on the wall ever leaves out at once.
const GAP: Duration = Duration::days(2);

/// What a rule counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RepeatFrom {
    /// The first due of the series: rent on every first, however late it is paid.
    Due,
    /// The day of completion: water the plants ten days after they were watered.
    Completion,
}

/// How a task comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    /// On which days.
    pub rule: Rule,
    /// Counted from what.
    pub from: RepeatFrom,
    /// The first due of the series, as the clock on the wall shows it. The day of the month
    /// comes from here each time, so it does not drift: 31 January, 28 February, 31 March.
    pub anchor: NaiveDateTime,
}

impl Recurrence {
    /// When the task is due next that was due at `due` and completed at `completed` by a
    /// user in `zone`; `None` if the series ends. `occurrence` is 1 for the first task.
    ///
    /// Counted from the due, it is the first slot of the rule that is later than `due` and
    /// still possible: what was missed is left out. COUNT counts slots. Counted from the
    /// completion, it is the first slot after that day of the rule that starts on it, at the
    /// same time of day. COUNT counts tasks.
    pub fn next(&self, due: &Due, occurrence: i64, completed: Moment, zone: &Zone) -> Option<Due> {
        // A moment goes by its own clock, a day by the user's.
        let clock = if let Due::At { zone, .. } = due { zone } else { zone };
        let day = clock.local(completed).date();
        match self.from {
            RepeatFrom::Due => {
                let seek = due.local().max(day.and_time(NaiveTime::MIN));
                self.next_slot(due, seek, |slot| match slot {
                    Due::Date(date) => *date >= day,
                    Due::At { moment, .. } => *moment > completed,
                })
            }
            RepeatFrom::Completion => {
                self.next_after(due, day.and_time(self.time(due)), occurrence)
            }
        }
    }

    /// The due after `due`, whatever the time is now; `None` if the series ends.
    pub fn skip(&self, due: &Due, occurrence: i64) -> Option<Due> {
        match self.from {
            RepeatFrom::Due => self.next_slot(due, due.local(), |_| true),
            RepeatFrom::Completion => {
                let start = due.local().date().and_time(self.time(due));
                self.next_after(due, start, occurrence)
            }
        }
    }

    /// The first slot of the series later than `due` that is `possible`; none of those is
    /// before `seek`.
    fn next_slot(
        &self,
        due: &Due,
        seek: NaiveDateTime,
        possible: impl Fn(&Due) -> bool,
    ) -> Option<Due> {
        // To count the slots, one must see them all.
        let seek = match self.rule.count {
            Some(_) => self.anchor,
            None => seek.checked_sub_signed(GAP).unwrap_or(seek),
        };
        slots(&self.rule, self.anchor, seek)
            .take(self.rule.count.map_or(usize::MAX, usize::from))
            .map(|slot| due.moved_to(slot))
            .find(|slot| slot.sort_key() > due.sort_key() && possible(slot))
            .filter(|slot| self.goes_on_until(slot))
    }

    /// The first slot after `start` of the rule that starts there.
    fn next_after(&self, due: &Due, start: NaiveDateTime, occurrence: i64) -> Option<Due> {
        if self.rule.count.is_some_and(|count| occurrence >= count.into()) {
            return None;
        }
        let next = slots(&self.rule, start, start).find(|slot| *slot > start)?;
        Some(due.moved_to(next)).filter(|slot| self.goes_on_until(slot))
    }

    fn goes_on_until(&self, slot: &Due) -> bool {
        self.rule.until.is_none_or(|until| until.allows(slot))
    }

    /// The time of day at which the series goes on. It is that of `due`, unless `due` is
    /// only later because the clock was put forward that day.
    fn time(&self, due: &Due) -> NaiveTime {
        let local = due.local();
        let planned = local.date().and_time(self.anchor.time());
        if due.moved_to(planned) == *due { planned.time() } else { local.time() }
    }
}

#[cfg(test)]
mod tests;
