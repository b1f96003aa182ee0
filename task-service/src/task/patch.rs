//! Changes of a task.

use shared::fields::{Fields, Violations};

use super::{Description, NewRepeat, Priority, Reminders, Repeat, Series, Tags, Task, Title};
use crate::{due::Due, moment::Moment, zone::Zone};

/// Which fields of a task to write; `None` leaves one alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskPatch {
    /// The new title.
    pub title: Option<Title>,
    /// The new description.
    pub description: Option<Description>,
    /// The new state.
    pub completed: Option<bool>,
    /// The new priority.
    pub priority: Option<Priority>,
    /// The new tags.
    pub tags: Option<Tags>,
    /// What becomes of the due.
    pub due: Option<DueChange>,
    /// The new reminders.
    pub reminders: Option<Reminders>,
    /// What becomes of the rule.
    pub recurrence: Option<RuleChange>,
}

/// What becomes of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleChange {
    /// This one.
    Set(Box<NewRepeat>),
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
    fn of(self, due: Option<Due>) -> Option<Due> {
        match (self, due) {
            (Self::Set(due), _) => Some(due),
            (Self::Instant(moment), Some(Due::At { zone, .. })) => Some(Due::At { moment, zone }),
            (Self::Instant(moment), _) => Some(Due::At { moment, zone: Zone::UTC }),
            (Self::NoZone, Some(Due::At { moment, .. })) => {
                Some(Due::At { moment, zone: Zone::UTC })
            }
            (Self::NoZone, due @ (None | Some(Due::Date(_))))
            | (Self::NoDate, due @ Some(Due::At { .. }))
            | (Self::NoInstant, due @ Some(Due::Date(_))) => due,
            (Self::NoDate | Self::NoInstant | Self::None, _) => None,
        }
    }
}

impl TaskPatch {
    /// Writes the state and nothing else.
    pub fn completed(completed: bool) -> Self {
        Self { completed: Some(completed), ..Self::default() }
    }
}

impl Task {
    /// Changes what `patch` names and tells whether anything is different now. Only then
    /// does `updated_at` move, and never back, whatever the clock does.
    ///
    /// A rule counts from where the task is due when either of the two changes.
    pub fn apply(&mut self, patch: TaskPatch, now: Moment) -> Result<bool, Violations> {
        let due = match patch.due {
            Some(change) => change.of(self.due.clone()),
            None => self.due.clone(),
        };
        let reminders = patch.reminders.unwrap_or_else(|| self.reminders.clone());
        let repeat = match patch.recurrence {
            Some(RuleChange::Set(new)) => Some(match &self.repeat {
                Some(repeat) if new.is(repeat) => Ok(repeat.clone()),
                _ => Err(*new),
            }),
            Some(RuleChange::End) => None,
            None => self.repeat.clone().map(Ok),
        };
        let new = repeat.as_ref().and_then(|repeat| repeat.as_ref().err());
        check(due.as_ref(), &reminders, repeat.is_some(), new)?;
        let is_new = new.is_some();
        let repeat = repeat.zip(due.as_ref()).map(|(repeat, due)| match repeat {
            Ok(repeat) if Some(due) == self.due.as_ref() => repeat,
            Ok(Repeat { recurrence, zone }) => {
                let (rule, from) = (recurrence.rule, recurrence.from);
                NewRepeat { rule, from, zone }.counted_from(due)
            }
            Err(new) => new.counted_from(due),
        });
        let series = match (&repeat, self.series) {
            (Some(_), None) => Some(Series::started_by(self.id)),
            // What one rule made is one series, so another rule begins another.
            (Some(_), Some(Series { occurrence, continued, .. }))
                if is_new && (occurrence > 1 || continued) =>
            {
                Some(Series::started_by(now.new_id()))
            }
            (_, series) => series,
        };
        let now = now.max(self.updated_at);
        let completed_at = match (patch.completed, self.completed_at) {
            (Some(true), None) => Some(now),
            (Some(false), _) => None,
            (_, as_it_was) => as_it_was,
        };
        let replaced = [
            replace(&mut self.title, patch.title.map(Title::into_string)),
            replace(&mut self.description, patch.description.map(Description::into_string)),
            replace(&mut self.completed_at, Some(completed_at)),
            replace(&mut self.priority, patch.priority),
            replace(&mut self.tags, patch.tags),
            replace(&mut self.due, Some(due)),
            replace(&mut self.reminders, Some(reminders)),
            replace(&mut self.repeat, Some(repeat)),
            replace(&mut self.series, Some(series)),
        ];
        let changed = replaced.contains(&true);
        if changed {
            self.updated_at = now;
        }
        Ok(changed)
    }
}

/// What must hold between the fields of a task: what counts from a due needs one, and a
/// `new` rule must lead somewhere from it.
pub fn check(
    due: Option<&Due>,
    reminders: &Reminders,
    repeats: bool,
    new: Option<&NewRepeat>,
) -> Result<(), Violations> {
    let mut fields = Fields::default();
    if reminders.are_relative() && !matches!(due, Some(Due::At { .. })) {
        fields.fault("reminders", "with `minutes_before` need a `due_at`");
    }
    if repeats && due.is_none() {
        fields.fault("recurrence", "needs a `due_date` or a `due_at`");
    }
    if let (Some(due), Some(new)) = (due, new)
        && !new.goes_on_after(due)
    {
        fields.fault("recurrence.rule", "must have an occurrence after the due");
    }
    fields.finish(Some(()))
}

fn replace<T: PartialEq>(field: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) if *field != value => {
            *field = value;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
