//! Changes of a task.

use shared::fields::Violations;

use super::{Repeat, Series, Task, TaskPatch};
use crate::domain::{due::Due, timestamp::Moment, zone::Zone};

/// What becomes of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleChange {
    /// This one.
    Set(Box<Repeat>),
    /// None: the task stays and does not repeat any more.
    End,
}

/// What becomes of a due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueChange {
    /// This one.
    Set(Due),
    /// This instant, in the zone the task has, else in UTC.
    Instant(Moment),
    /// The instant the task has, in UTC; a date stays.
    NoZone,
    /// No date; an instant stays.
    NoDate,
    /// No instant; a date stays.
    NoInstant,
    /// Neither.
    None,
}

impl DueChange {
    /// The due after the change.
    pub fn of(self, due: Option<Due>) -> Option<Due> {
        match (self, due) {
            (Self::Set(due), _) => Some(due),
            (Self::Instant(moment), Some(Due::At { moment: _, zone })) => {
                Some(Due::At { moment, zone })
            }
            (Self::Instant(moment), _) => Some(Due::At { moment, zone: Zone::UTC }),
            (Self::NoZone, Some(Due::At { moment, zone: _ })) => {
                Some(Due::At { moment, zone: Zone::UTC })
            }
            (Self::NoZone, due @ (None | Some(Due::Date(_))))
            | (Self::NoDate, due @ Some(Due::At { .. }))
            | (Self::NoInstant, due @ Some(Due::Date(_))) => due,
            (Self::NoDate | Self::NoInstant | Self::None, _) => None,
        }
    }

    /// The change as digests are made of it: never reword what is there.
    pub fn spelled(&self) -> (&'static str, Option<(i64, Option<&str>)>) {
        match self {
            Self::Set(due) => ("set", Some(due.to_stored())),
            Self::Instant(moment) => ("instant", Some((moment.micros(), None))),
            Self::NoZone => ("no zone", None),
            Self::NoDate => ("no date", None),
            Self::NoInstant => ("no instant", None),
            Self::None => ("none", None),
        }
    }
}

impl Task {
    /// Changes what `patch` names and tells whether anything is different now. Only then
    /// does `updated_at` move, and never back, whatever the clock does.
    ///
    /// A rule counts from where the task is due when either of the two changes.
    pub fn apply(&mut self, patch: TaskPatch, now: Moment) -> Result<bool, Violations> {
        let completed = patch.completed;
        let content = self.content.clone().patched(patch);
        let (rule, due) = (&content.recurrence, &content.due);
        let is_new = rule.is_some() && *rule != self.content.recurrence;
        content.check(is_new)?;
        let is_moved = is_new || *due != self.content.due;
        let anchor =
            if is_moved { content.anchor() } else { self.anchor.filter(|_| rule.is_some()) };
        let series = match (rule, self.series) {
            (Some(_), None) => Some(Series::started_by(self.id)),
            // What one rule made is one series, so another rule begins another.
            (Some(_), Some(Series { id: _, occurrence, continued }))
                if is_new && (occurrence > 1 || continued) =>
            {
                Some(Series::started_by(now.new_id()))
            }
            (_, series) => series,
        };
        let now = now.max(self.updated_at);
        let completed_at = match (completed, self.completed_at) {
            (Some(true), None) => Some(now),
            (Some(false), _) => None,
            (_, as_it_was) => as_it_was,
        };
        let is_same = content == self.content
            && anchor == self.anchor
            && series == self.series
            && completed_at == self.completed_at;
        if !is_same {
            self.content = content;
            self.anchor = anchor;
            self.series = series;
            self.completed_at = completed_at;
            self.updated_at = now;
        }
        Ok(!is_same)
    }
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
