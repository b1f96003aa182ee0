//! The import of tasks with their history: a task as received, and the report.

use chrono::NaiveDateTime;
use uuid::Uuid;

use crate::domain::{
    task::{Content, Position, Series, Task},
    timestamp::Timestamp,
};

/// The most tasks of one import: their ids are all held in memory.
pub const MAX_TASKS: u64 = 200_000;

/// The most bytes of one import.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;

/// The most faults in a report, the first ones.
const MAX_FAULTS: usize = 100;

/// A task to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The id; `None` for a new one.
    pub id: Option<Uuid>,
    /// The owner-written fields.
    pub content: Content,
    /// Whether the task is completed.
    pub completed: bool,
    /// The time of completion, if known.
    pub completed_at: Option<Timestamp>,
    /// The time of creation, if known.
    pub created_at: Option<Timestamp>,
    /// The time of the last change, if known.
    pub updated_at: Option<Timestamp>,
    /// The series, and the number of the occurrence.
    pub series: Option<(Uuid, i64)>,
    /// The anchor of the rule; by default the due.
    pub start: Option<NaiveDateTime>,
    /// The position; `None` for the end.
    pub position: Option<Position>,
}

impl Imported {
    /// The task of `user_id`, without its revision, and its position if there was none. Unknown
    /// times are derived from the known ones.
    ///
    /// A completed task that repeats counts as followed by its next.
    pub fn into_task(self, user_id: &str, now: Timestamp) -> Task {
        let created_at = self.created_at.unwrap_or(now);
        let known = [self.updated_at, self.completed_at].into_iter().flatten().max();
        let updated_at = self.updated_at.or(known).unwrap_or(created_at).max(created_at);
        let mut task = Task::new(user_id, self.content, created_at, 0, 0);
        if let Some(id) = self.id {
            task.id = id;
        }
        task.completed_at = self.completed_at.or(self.completed.then_some(updated_at));
        task.updated_at = updated_at;
        let series = match self.series {
            Some((id, occurrence)) => Some(Series { id, occurrence, continued: false }),
            None => task.anchor.map(|_| Series::started_by(task.id)),
        };
        task.anchor = task.anchor.map(|anchor| self.start.unwrap_or(anchor));
        let continued = task.completed() && task.anchor.is_some();
        task.series = series.map(|series| Series { continued, ..series });
        if let Some(position) = self.position {
            task.position = position;
        }
        task
    }
}

/// A broken rule of a task to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The number of the task or line, from 1.
    pub line: u64,
    /// The field.
    pub field: String,
    /// The rule, as a phrase about the field.
    pub message: String,
}

/// The report of an import or a dry run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of tasks received.
    pub received: u64,
    /// The number of tasks stored.
    pub imported: u64,
    /// The number of tasks skipped because they exist.
    pub skipped: u64,
    /// The number of invalid tasks.
    pub faulty: u64,
    /// The first faults.
    pub faults: Vec<Fault>,
    /// Whether this was a dry run.
    pub dry_run: bool,
}

impl Report {
    /// Counts a task as invalid and adds its faults.
    pub fn refuse(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.faulty += 1;
        let room = MAX_FAULTS - self.faults.len();
        self.faults.extend(faults.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::task::sample;

    const NOW: Timestamp = Timestamp::from_micros(9_000_000);

    fn plain() -> Imported {
        Imported {
            id: None,
            content: sample("a"),
            completed: false,
            completed_at: None,
            created_at: None,
            updated_at: None,
            series: None,
            start: None,
            position: None,
        }
    }

    #[test]
    fn what_is_not_known_of_the_past_is_as_of_the_beginning() {
        let task = plain().into_task("ada", NOW);
        assert_eq!((task.created_at, task.updated_at, task.completed_at), (NOW, NOW, None));
        let [early, late] = [1, 2].map(Timestamp::from_micros);
        let (created_at, updated_at) = (Some(early), Some(late));
        let done = Imported { completed: true, created_at, updated_at, ..plain() };
        assert_eq!(done.into_task("ada", NOW).completed_at, Some(late));
        let done = Imported { completed_at: Some(late), created_at, ..plain() };
        let task = done.into_task("ada", NOW);
        assert_eq!((task.completed_at, task.updated_at), (Some(late), late));
    }

    #[test]
    fn a_report_has_the_first_faults_and_counts_all() {
        let mut report = Report::default();
        let fault = |line| Fault { line, field: String::new(), message: String::new() };
        for line in 1..=80 {
            report.refuse([fault(line), fault(line)]);
        }
        assert_eq!((report.faulty, report.faults.len()), (80, MAX_FAULTS));
        assert_eq!(report.faults.last().map(|fault| fault.line), Some(50));
    }
}
