//! What an owner writes into a task.
//!
//! [`Content`] and [`TaskPatch`] are the two lists of those fields, and whatever concerns all
//! of them stands here: a patch, the rules between fields, the length of the texts and the
//! spelling that digests are made of. Each takes the structs apart without `..`, so a new field
//! does not compile before each of them has an answer for it. Elsewhere the fields are named
//! where the wire and the row are: `wire/content.rs`, `store/row.rs`.

use chrono::NaiveDateTime;
use shared::fields::{Fields, Violations};

use super::{Description, DueChange, Priority, Reminders, Repeat, RuleChange, Tags, Title};
use crate::domain::due::Due;

/// The fields of a task that its owner writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The title.
    pub title: Title,
    /// The description.
    pub description: Description,
    /// How urgent it is.
    pub priority: Priority,
    /// The tags.
    pub tags: Tags,
    /// When it is due.
    pub due: Option<Due>,
    /// When to remind of it.
    pub reminders: Reminders,
    /// How it repeats; never without a due.
    pub recurrence: Option<Repeat>,
}

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

impl Content {
    /// The fields after `patch`.
    pub fn patched(self, patch: TaskPatch) -> Self {
        let Self { title, description, priority, tags, due, reminders, recurrence } = self;
        // The state is no content: when it changed, the clock says.
        let TaskPatch {
            title: new_title,
            description: new_description,
            completed: _,
            priority: new_priority,
            tags: new_tags,
            due: due_change,
            reminders: new_reminders,
            recurrence: rule_change,
        } = patch;
        Self {
            title: new_title.unwrap_or(title),
            description: new_description.unwrap_or(description),
            priority: new_priority.unwrap_or(priority),
            tags: new_tags.unwrap_or(tags),
            due: match due_change {
                Some(change) => change.of(due),
                None => due,
            },
            reminders: new_reminders.unwrap_or(reminders),
            recurrence: match rule_change {
                Some(RuleChange::Set(rule)) => Some(*rule),
                Some(RuleChange::End) => None,
                None => recurrence,
            },
        }
    }

    /// Where the rule of a task that is due then begins to count; `None` without a rule.
    pub fn anchor(&self) -> Option<NaiveDateTime> {
        self.due.as_ref().filter(|_| self.recurrence.is_some()).map(Due::local)
    }

    /// Checks what must hold between the fields: what counts from a due needs one, and a rule
    /// that `is_new` must lead somewhere from it.
    pub fn check(&self, is_new: bool) -> Result<(), Violations> {
        let mut fields = Fields::default();
        let Self { title: _, description: _, priority: _, tags: _, due, reminders, recurrence } =
            self;
        if reminders.are_relative() && !matches!(due, Some(Due::At { .. })) {
            fields.fault("reminders", "with `minutes_before` need a `due_at`");
        }
        match (due, recurrence) {
            (None, Some(_)) => fields.fault("recurrence", "needs a `due_date` or a `due_at`"),
            (Some(due), Some(rule)) if is_new && !rule.goes_on_after(due) => {
                fields.fault("recurrence.rule", "must have an occurrence after the due");
            }
            _ => {}
        }
        fields.finish(Some(()))
    }

    /// The texts that may be long. All else together is bounded by what a page counts for a
    /// task without texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let Self { title, description, priority: _, tags, due: _, reminders: _, recurrence: _ } =
            self;
        let tags = tags.as_slice().iter().map(String::as_str);
        tags.chain([title.as_str(), description.as_str()])
    }

    /// The fields as bytes that digests are made of: whatever was spelled out or left to its
    /// default, the same content gives the same bytes.
    ///
    /// A digest outlives the version that made it by a day, so what is spelled here stays. A
    /// new field is spelled behind the others where it has another value than its default, and
    /// not at all where it has not.
    pub fn spelled(&self) -> Vec<u8> {
        let Self { title, description, priority, tags, due, reminders, recurrence } = self;
        let mut spelled = priority.number().to_be_bytes().to_vec();
        for text in [title.as_str(), description.as_str()] {
            // The length in front keeps text from moving between the fields unnoticed.
            spelled.extend((text.len() as u64).to_be_bytes());
            spelled.extend(text.as_bytes());
        }
        let is_plain = tags.as_slice().is_empty()
            && due.is_none()
            && reminders.as_slice().is_empty()
            && recurrence.is_none();
        if !is_plain {
            let due = due.as_ref().map(Due::to_stored);
            let recurrence = recurrence.as_ref().map(Repeat::spelled);
            // Texts and numbers always serialise. JSON keeps its parts apart.
            let more = serde_json::to_vec(&(tags.as_slice(), due, reminders, recurrence));
            spelled.extend(more.unwrap_or_default());
        }
        spelled
    }
}

impl TaskPatch {
    /// A patch that writes the state and nothing else.
    pub fn completed(completed: bool) -> Self {
        Self {
            title: None,
            description: None,
            completed: Some(completed),
            priority: None,
            tags: None,
            due: None,
            reminders: None,
            recurrence: None,
        }
    }

    /// All that the patch writes as JSON, for digests as [`Content::spelled`]: what it leaves
    /// alone is `null`. A new field goes behind the others, if it is written.
    pub fn spelled(&self) -> String {
        let Self { title, description, completed, priority, tags, due, reminders, recurrence } =
            self;
        let recurrence = recurrence.as_ref().map(|change| match change {
            RuleChange::Set(repeat) => Some(repeat.spelled()),
            RuleChange::End => None,
        });
        // An end is told from nothing by the list around it.
        let recurrence: Vec<_> = recurrence.into_iter().collect();
        let all = (
            title.as_ref().map(Title::as_str),
            description.as_ref().map(Description::as_str),
            completed,
            priority.map(Priority::number),
            tags.as_ref().map(Tags::as_slice),
            due.as_ref().map(DueChange::spelled),
            reminders,
            recurrence,
        );
        // Texts and numbers always serialise.
        serde_json::to_string(&all).unwrap_or_default()
    }
}

/// A new task's content with this title and nothing else.
#[cfg(test)]
pub fn sample(title: &str) -> Content {
    Content {
        title: Title::parse(title).expect("a title"),
        description: Description::default(),
        priority: Priority::Medium,
        tags: Tags::default(),
        due: None,
        reminders: Reminders::default(),
        recurrence: None,
    }
}
