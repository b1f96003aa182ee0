//! A task and its rules.

mod description;
mod fired;
mod patch;
mod position;
mod priority;
mod reminder;
mod repeat;
pub mod tags;
mod title;

use uuid::Uuid;

pub use self::{
    description::Description,
    fired::Fired,
    patch::{DueChange, RuleChange, TaskPatch, check},
    position::{MAX_LENGTH as MAX_POSITION_LENGTH, Position},
    priority::Priority,
    reminder::{Reminder, Reminders},
    repeat::{CannotSkip, NewRepeat, Repeat, Series},
    tags::Tags,
    title::{Title, sort_key},
};
use crate::{due::Due, moment::Moment, request_id::RequestId};

/// One thing one user wants done, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Chosen at creation, never changed.
    pub id: Uuid,
    /// The owner.
    pub user_id: String,
    /// What [`Title::parse`] let through.
    pub title: String,
    /// What [`Description::parse`] let through.
    pub description: String,
    /// When it was completed; `None` while it is open. There is no second flag that could
    /// disagree.
    pub completed_at: Option<Moment>,
    /// How urgent it is.
    pub priority: Priority,
    /// Its tags.
    pub tags: Tags,
    /// When it is due.
    pub due: Option<Due>,
    /// When to remind of it.
    pub reminders: Reminders,
    /// How it repeats; never without a due.
    pub repeat: Option<Repeat>,
    /// Which task of which series it is, if it ever repeated.
    pub series: Option<Series>,
    /// Where it stands in the user's order.
    pub position: Position,
    /// When it was made.
    pub created_at: Moment,
    /// When a field last changed; never before an earlier value of its own.
    pub updated_at: Moment,
    /// When it was put into the trash; `None` outside.
    pub deleted_at: Option<Moment>,
    /// The owner's change number of the last change.
    pub revision: i64,
}

impl Task {
    /// A new, open task of `user_id`, at the end of the order. `index` counts those of the
    /// same change, which are made a microsecond apart so that lists keep their order.
    pub fn new(user_id: &str, new: NewTask, now: Moment, revision: i64, index: usize) -> Self {
        let id = now.new_id();
        let now = now.plus_micros(index);
        let repeat = new.recurrence.zip(new.due.as_ref()).map(|(r, due)| r.counted_from(due));
        Self {
            id,
            user_id: user_id.to_owned(),
            title: new.title.into_string(),
            description: new.description.into_string(),
            completed_at: None,
            priority: new.priority,
            tags: new.tags,
            due: new.due,
            reminders: new.reminders,
            series: repeat.as_ref().map(|_| Series::started_by(id)),
            repeat,
            position: Position::at_end(revision, index),
            created_at: now,
            updated_at: now,
            deleted_at: None,
            revision,
        }
    }

    /// Whether it is done.
    pub fn completed(&self) -> bool {
        self.completed_at.is_some()
    }
}

/// What a task is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    /// The title.
    pub title: Title,
    /// The description.
    pub description: Description,
    /// The priority.
    pub priority: Priority,
    /// The tags.
    pub tags: Tags,
    /// When it is due.
    pub due: Option<Due>,
    /// When to remind of it.
    pub reminders: Reminders,
    /// How it repeats; needs a due.
    pub recurrence: Option<NewRepeat>,
    /// Makes the creation safe to repeat.
    pub request_id: Option<RequestId>,
}

/// A new task with this title and nothing else.
#[cfg(test)]
pub fn sample(title: &str) -> NewTask {
    NewTask {
        title: Title::parse(title).expect("a title"),
        description: Description::default(),
        priority: Priority::Medium,
        tags: Tags::default(),
        due: None,
        reminders: Reminders::default(),
        recurrence: None,
        request_id: None,
    }
}
