//! The next due of a task that repeats, after a completion or a skip: the first fitting one of the
//! occurrences of its rule.

use chrono::{Duration, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use super::{Rule, occurrences::occurrences};
use crate::domain::{due::Due, timestamp::Timestamp, zone::Zone};

/// More than any gap of a time zone.
const GAP: Duration = Duration::days(2);

/// The start from which a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RepeatFrom {
    /// The first due of the series: rent on the first, however late it is paid.
    Due,
    /// The day of completion: water the plants ten days after they were watered.
    Completion,
}

/// A rule with its anchor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    /// The rule.
    pub rule: Rule,
    /// The start of the count.
    pub from: RepeatFrom,
    /// The first due of the series in local time. The day of the month comes from here each time,
    /// so it does not drift: 31 January, 28 February, 31 March.
    pub anchor: NaiveDateTime,
}

impl Recurrence {
    /// The next due after `due`, of a task completed at `completed` by a user in `zone`; `None` at
    /// the end of the series. `occurrence` is 1 for the first task.
    ///
    /// Counted from the due, it is the first occurrence of the rule after `due` that is not missed
    /// yet; COUNT counts occurrences. Counted from the completion, it is the first occurrence after
    /// that day of the rule started there, at the same time of day; COUNT counts tasks.
    pub fn next(
        &self,
        due: &Due,
        occurrence: i64,
        completed: Timestamp,
        zone: &Zone,
    ) -> Option<Due> {
        // An instant uses its own zone, a date the user's.
        let clock = if let Due::At { zone, .. } = due { zone } else { zone };
        let day = clock.local(completed).date();
        match self.from {
            RepeatFrom::Due => {
                let seek = due.local().max(day.and_time(NaiveTime::MIN));
                self.next_occurrence(due, seek, |candidate| match candidate {
                    Due::Date(date) => *date >= day,
                    Due::At { moment, .. } => *moment > completed,
                })
            }
            RepeatFrom::Completion => {
                self.next_after(due, day.and_time(self.time(due)), occurrence)
            }
        }
    }

    /// The due after `due`, missed or not; `None` at the end of the series.
    pub fn skip(&self, due: &Due, occurrence: i64) -> Option<Due> {
        match self.from {
            RepeatFrom::Due => self.next_occurrence(due, due.local(), |_| true),
            RepeatFrom::Completion => {
                let start = due.local().date().and_time(self.time(due));
                self.next_after(due, start, occurrence)
            }
        }
    }

    /// The first occurrence later than `due` that is `possible`, none of which is before `seek`.
    fn next_occurrence(
        &self,
        due: &Due,
        seek: NaiveDateTime,
        possible: impl Fn(&Due) -> bool,
    ) -> Option<Due> {
        // COUNT needs all occurrences.
        let seek = match self.rule.count {
            Some(_) => self.anchor,
            None => seek.checked_sub_signed(GAP).unwrap_or(seek),
        };
        occurrences(&self.rule, self.anchor, seek)
            .take(self.rule.count.map_or(usize::MAX, usize::from))
            .map(|candidate| due.moved_to(candidate))
            .find(|candidate| candidate.sort_key() > due.sort_key() && possible(candidate))
            .filter(|candidate| self.goes_on_until(candidate))
    }

    /// The first occurrence after `start` of the rule started there.
    fn next_after(&self, due: &Due, start: NaiveDateTime, occurrence: i64) -> Option<Due> {
        if self.rule.count.is_some_and(|count| occurrence >= count.into()) {
            return None;
        }
        let next = occurrences(&self.rule, start, start).find(|candidate| *candidate > start)?;
        Some(due.moved_to(next)).filter(|candidate| self.goes_on_until(candidate))
    }

    fn goes_on_until(&self, candidate: &Due) -> bool {
        self.rule.until.is_none_or(|until| until.allows(candidate))
    }

    /// The time of day of the series: that of `due`, unless `due` was only moved by a gap of its
    /// zone.
    fn time(&self, due: &Due) -> NaiveTime {
        let local = due.local();
        let planned = local.date().and_time(self.anchor.time());
        if due.moved_to(planned) == *due { planned.time() } else { local.time() }
    }
}
