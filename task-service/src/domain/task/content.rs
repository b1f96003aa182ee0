//! The content of a task: the fields that its owner writes.
//!
//! [`Content`] and [`TaskPatch`] are the two lists of these fields. Everything that concerns all of
//! them is here: the patch, the rules between fields, the length of the texts and the encoding for
//! fingerprints. The structs are destructured without `..`, so a new field does not compile before
//! each place handles it. The wire and the row name the fields in `wire/content.rs` and
//! `store/row.rs`.

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
    /// The priority.
    pub priority: Priority,
    /// The tags.
    pub tags: Tags,
    /// The due.
    pub due: Option<Due>,
    /// The reminders.
    pub reminders: Reminders,
    /// The recurrence; never without a due.
    pub recurrence: Option<Repeat>,
}

/// The fields of a task to write; `None` leaves a field unchanged.
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
    /// The change of the due.
    pub due: Option<DueChange>,
    /// The new reminders.
    pub reminders: Option<Reminders>,
    /// The change of the recurrence.
    pub recurrence: Option<RuleChange>,
}

impl Content {
    /// The content after `patch`.
    pub fn patched(self, patch: TaskPatch) -> Self {
        let Self { title, description, priority, tags, due, reminders, recurrence } = self;
        // The state is not part of the content.
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

    /// The anchor of the rule: the local time of the due; `None` without a rule.
    pub fn anchor(&self) -> Option<NaiveDateTime> {
        self.due.as_ref().filter(|_| self.recurrence.is_some()).map(Due::local)
    }

    /// Checks the rules between fields: a recurrence and relative reminders need a due, and a rule
    /// that `is_new` must have an occurrence after it.
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

    /// The texts of variable length. All other fields fit the constant part of a page's size.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let Self { title, description, priority: _, tags, due: _, reminders: _, recurrence: _ } =
            self;
        let tags = tags.as_slice().iter().map(String::as_str);
        tags.chain([title.as_str(), description.as_str()])
    }

    /// The encoding for fingerprints; independent of whether defaults were spelled out.
    ///
    /// Fingerprints are stored for 24 hours, so the encoding stays. A new field is appended where
    /// it is not at its default, and left out where it is.
    pub fn fingerprint_parts(&self) -> Vec<u8> {
        let Self { title, description, priority, tags, due, reminders, recurrence } = self;
        let mut spelled = priority.number().to_be_bytes().to_vec();
        for text in [title.as_str(), description.as_str()] {
            // The length prefix keeps the fields apart.
            spelled.extend((text.len() as u64).to_be_bytes());
            spelled.extend(text.as_bytes());
        }
        let is_plain = tags.as_slice().is_empty()
            && due.is_none()
            && reminders.as_slice().is_empty()
            && recurrence.is_none();
        if !is_plain {
            let due = due.as_ref().map(Due::to_stored);
            let recurrence = recurrence.as_ref().map(Repeat::fingerprint_parts);
            // Texts and numbers always serialise.
            let more = serde_json::to_vec(&(tags.as_slice(), due, reminders, recurrence));
            spelled.extend(more.unwrap_or_default());
        }
        spelled
    }
}

impl TaskPatch {
    /// A patch of the state alone.
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

    /// The encoding for fingerprints, as JSON; an unchanged field is `null`. A new field is
    /// appended.
    pub fn fingerprint_parts(&self) -> String {
        let Self { title, description, completed, priority, tags, due, reminders, recurrence } =
            self;
        let recurrence = recurrence.as_ref().map(|change| match change {
            RuleChange::Set(repeat) => Some(repeat.fingerprint_parts()),
            RuleChange::End => None,
        });
        // The list tells the end of a rule from an unchanged one.
        let recurrence: Vec<_> = recurrence.into_iter().collect();
        let all = (
            title.as_ref().map(Title::as_str),
            description.as_ref().map(Description::as_str),
            completed,
            priority.map(Priority::number),
            tags.as_ref().map(Tags::as_slice),
            due.as_ref().map(DueChange::fingerprint_parts),
            reminders,
            recurrence,
        );
        // Texts and numbers always serialise.
        serde_json::to_string(&all).unwrap_or_default()
    }
}

/// The content of a task with this title alone.
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
