//! The recurrence of a task, and its series.

use chrono::NaiveDateTime;
use uuid::Uuid;

use super::{Position, Task};
use crate::domain::{
    due::Due,
    recurrence::{Recurrence, RepeatFrom, Rule},
    timestamp::Timestamp,
    zone::Zone,
};

/// The recurrence of a task, as its owner wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The rule.
    pub rule: Rule,
    /// The start of the count.
    pub from: RepeatFrom,
    /// The zone of the day of completion, for a task with a date.
    pub zone: Zone,
}

impl Repeat {
    /// The recurrence with its anchor.
    pub fn counted_from(self, anchor: NaiveDateTime) -> Recurrence {
        let Self { rule, from, zone: _ } = self;
        Recurrence { rule, from, anchor }
    }

    /// Whether there is an occurrence after `due`.
    pub fn goes_on_after(&self, due: &Due) -> bool {
        self.clone().counted_from(due.local()).skip(due, 1).is_some()
    }

    /// The encoding for fingerprints.
    pub fn fingerprint_parts(&self) -> (&str, RepeatFrom, &str) {
        let Self { rule, from, zone } = self;
        (rule.as_str(), *from, zone.as_str())
    }
}

/// The series of a task, and its occurrence in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    /// The id of the first task of the series.
    pub id: Uuid,
    /// The number of the occurrence, from 1.
    pub occurrence: i64,
    /// Whether the next task was created, which happens once.
    pub continued: bool,
}

impl Series {
    /// The series that the task `id` starts.
    pub fn started_by(id: Uuid) -> Self {
        Self { id, occurrence: 1, continued: false }
    }
}

/// The error of a skip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotSkip {
    /// The task does not repeat, is completed, or was followed by its next.
    NotRepeating,
    /// The rule has no later occurrence.
    SeriesEnded,
}

impl Task {
    /// The next task of the series, if this one is completed and was not followed yet. The next
    /// task takes the position, and this one moves to the end: `index` numbers the tasks of the
    /// change with this number.
    pub fn successor(&mut self, now: Timestamp, revision: i64, index: usize) -> Option<Self> {
        let series = self.series?;
        let completed = self.completed_at.filter(|_| !series.continued)?;
        let (recurrence, due) = (self.recurrence()?, self.content.due.as_ref()?);
        let zone = &self.content.recurrence.as_ref()?.zone;
        let next = recurrence.next(due, series.occurrence, completed, zone)?;
        let reminders = self.content.reminders.moved(due, &next);
        self.series = Some(Series { continued: true, ..series });
        let end = Position::at_end(revision, index);
        let position = std::mem::replace(&mut self.position, end);
        let mut successor = Self {
            id: now.new_id(),
            completed_at: None,
            series: Some(Series { occurrence: series.occurrence + 1, ..series }),
            position,
            created_at: now,
            updated_at: now,
            revision,
            ..self.clone()
        };
        successor.content.reminders = reminders;
        successor.content.due = Some(next);
        Some(successor)
    }

    /// Moves the task to its next occurrence without completing it.
    pub fn skip(&mut self, now: Timestamp) -> Result<(), CannotSkip> {
        let (Some(recurrence), Some(due), Some(series)) =
            (self.recurrence(), &self.content.due, self.series)
        else {
            return Err(CannotSkip::NotRepeating);
        };
        if self.completed() || series.continued {
            return Err(CannotSkip::NotRepeating);
        }
        let next = recurrence.skip(due, series.occurrence);
        let next = next.ok_or(CannotSkip::SeriesEnded)?;
        self.content.reminders = self.content.reminders.moved(due, &next);
        self.content.due = Some(next);
        self.series = Some(Series { occurrence: series.occurrence + 1, ..series });
        self.updated_at = now.max(self.updated_at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::task::{Content, TaskPatch, sample};

    const NOW: Timestamp = Timestamp::from_micros(1_795_600_000_000_000); // 2026-11-25

    fn daily(rule: &str) -> Task {
        let due = Due::parse_date("2026-11-25").map(Due::Date).expect("a date");
        let recurrence = Repeat {
            rule: Rule::parse(rule).expect("a rule"),
            from: RepeatFrom::Due,
            zone: Zone::UTC,
        };
        let new = Content { due: Some(due), recurrence: Some(recurrence), ..sample("Pills") };
        Task::new("ada", new, NOW, 1, 0)
    }

    fn next(task: &mut Task) -> Option<Task> {
        task.successor(NOW, 9, 0)
    }

    #[test]
    fn a_done_task_is_followed_by_one_and_only_one() {
        let mut task = daily("FREQ=DAILY");
        assert_eq!(next(&mut task), None, "it is open");
        assert!(task.apply(TaskPatch::completed(true), NOW).expect("sound"));
        let follower = next(&mut task).expect("tomorrow's");
        assert_eq!(follower.content.due, Due::parse_date("2026-11-26").map(Due::Date).ok());
        let series = follower.series.expect("one of a series");
        assert_eq!((series.id, series.occurrence, series.continued), (task.id, 2, false));
        assert!(!follower.completed() && follower.id != task.id);
        assert_eq!(follower.position, Position::at_end(1, 0), "where the other one stood");
        assert_eq!(task.position, Position::at_end(9, 0));
        for state in [false, true] {
            assert!(task.apply(TaskPatch::completed(state), NOW).expect("sound"));
            assert_eq!(next(&mut task), None, "reopened and done again");
        }
    }

    #[test]
    fn a_series_ends_with_its_rule() {
        let mut task = daily("FREQ=DAILY;COUNT=2");
        task.apply(TaskPatch::completed(true), NOW).expect("sound");
        let mut last = next(&mut task).expect("the second");
        assert_eq!(last.clone().skip(NOW), Err(CannotSkip::SeriesEnded));
        last.apply(TaskPatch::completed(true), NOW).expect("sound");
        assert_eq!(next(&mut last), None);
    }

    #[test]
    fn skipping_moves_an_open_task_of_a_series_on() {
        let mut task = daily("FREQ=WEEKLY");
        task.skip(NOW).expect("skipped");
        assert_eq!(task.content.due, Due::parse_date("2026-12-02").map(Due::Date).ok());
        assert_eq!(task.series.map(|series| series.occurrence), Some(2));
        task.apply(TaskPatch::completed(true), NOW).expect("sound");
        assert_eq!(task.skip(NOW), Err(CannotSkip::NotRepeating));
        let mut single = Task::new("ada", sample("Once"), NOW, 1, 0);
        assert_eq!(single.skip(NOW), Err(CannotSkip::NotRepeating));
    }
}
