//! A task and its rules.

mod content;
mod description;
mod patch;
mod position;
mod priority;
mod reminder;
mod reminder_event;
mod repeat;
pub mod tags;
mod title;

use chrono::NaiveDateTime;
use uuid::Uuid;

#[cfg(test)]
pub use self::content::sample;
pub use self::{
    content::{Content, TaskPatch},
    description::Description,
    patch::{DueChange, RuleChange},
    position::{MAX_LENGTH as MAX_POSITION_LENGTH, Position},
    priority::Priority,
    reminder::{Reminder, Reminders},
    reminder_event::Fired,
    repeat::{CannotSkip, Repeat, Series},
    tags::Tags,
    title::{Title, sort_key},
};
use crate::domain::{recurrence::Recurrence, request_id::RequestId, timestamp::Moment};

/// One thing one user wants done, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Chosen at creation, never changed.
    pub id: Uuid,
    /// The owner.
    pub user_id: String,
    /// What the owner wrote.
    pub content: Content,
    /// When it was completed; `None` while it is open. There is no second flag that could
    /// disagree.
    pub completed_at: Option<Moment>,
    /// Where its rule counts from, as the clock on the wall shows it; `None` without a rule.
    pub anchor: Option<NaiveDateTime>,
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
    pub fn new(user_id: &str, content: Content, now: Moment, revision: i64, index: usize) -> Self {
        let id = now.new_id();
        let now = now.plus_micros(index);
        let anchor = content.anchor();
        Self {
            id,
            user_id: user_id.to_owned(),
            content,
            completed_at: None,
            anchor,
            series: anchor.map(|_| Series::started_by(id)),
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

    /// How it repeats, and from where that counts.
    pub fn recurrence(&self) -> Option<Recurrence> {
        let repeat = self.content.recurrence.clone()?;
        Some(repeat.counted_from(self.anchor?))
    }
}

/// What a task is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    /// What it will say.
    pub content: Content,
    /// Makes the creation safe to repeat.
    pub request_id: Option<RequestId>,
}

impl From<Content> for NewTask {
    fn from(content: Content) -> Self {
        Self { content, request_id: None }
    }
}
