//! The task and its rules.

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
    reminder_event::ReminderEvent,
    repeat::{CannotSkip, Repeat, Series},
    tags::Tags,
    title::{Title, sort_key},
};
use crate::domain::{recurrence::Recurrence, request_id::RequestId, timestamp::Timestamp};

/// A task as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The id, chosen at creation.
    pub id: Uuid,
    /// The owner.
    pub user_id: String,
    /// The owner-written fields.
    pub content: Content,
    /// The time of completion; `None` while the task is open.
    pub completed_at: Option<Timestamp>,
    /// The anchor of the rule, in local time; `None` without a rule.
    pub anchor: Option<NaiveDateTime>,
    /// The series and its occurrence, if the task ever repeated.
    pub series: Option<Series>,
    /// The position in the user's order.
    pub position: Position,
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change of a field; never decreases.
    pub updated_at: Timestamp,
    /// The time of deletion; `None` outside the trash.
    pub deleted_at: Option<Timestamp>,
    /// The owner's change number of the last change (revision).
    pub revision: i64,
}

impl Task {
    /// A new, open task of `user_id`, at the end of the order. `index` numbers the tasks of one
    /// change, which are created a microsecond apart so that lists keep their order.
    pub fn new(
        user_id: &str,
        content: Content,
        now: Timestamp,
        revision: i64,
        index: usize,
    ) -> Self {
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

    /// Whether the task is completed.
    pub fn completed(&self) -> bool {
        self.completed_at.is_some()
    }

    /// The rule with its anchor.
    pub fn recurrence(&self) -> Option<Recurrence> {
        let repeat = self.content.recurrence.clone()?;
        Some(repeat.counted_from(self.anchor?))
    }
}

/// A task to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    /// The owner-written fields.
    pub content: Content,
    /// The idempotency key.
    pub request_id: Option<RequestId>,
}

impl From<Content> for NewTask {
    fn from(content: Content) -> Self {
        Self { content, request_id: None }
    }
}
