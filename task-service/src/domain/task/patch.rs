//! The patch of a task: how an update changes its fields.

use shared::fields::Violations;

use super::{Repeat, Series, Task, TaskPatch};
use crate::domain::{due::Due, timestamp::Timestamp, zone::Zone};

/// The change of a recurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleChange {
    /// A new value.
    Set(Box<Repeat>),
    /// The end: the task does not repeat any more.
    End,
}

/// The change of a due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueChange {
    /// A new value.
    Set(Due),
    /// A new instant, in the task's zone, or in UTC.
    Instant(Timestamp),
    /// UTC as the zone of the instant; a date is unchanged.
    NoZone,
    /// No date; an instant is unchanged.
    NoDate,
    /// No instant; a date is unchanged.
    NoInstant,
    /// No due.
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

    /// The encoding for fingerprints, which must not change.
    pub fn fingerprint_parts(&self) -> (&'static str, Option<(i64, Option<&str>)>) {
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
    /// Applies `patch` and returns whether anything changed. Only then `updated_at` moves, and
    /// never back.
    ///
    /// A new rule or due sets the anchor.
    pub fn apply(&mut self, patch: TaskPatch, now: Timestamp) -> Result<bool, Violations> {
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
            // Another rule starts another series.
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
