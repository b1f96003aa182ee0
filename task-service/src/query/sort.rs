//! The sort order of lists.

use crate::domain::task::{Task, sort_key};

/// The field by which tasks are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortField {
    /// The time of creation.
    Created,
    /// The time of the last change.
    Updated,
    /// The due; tasks without one come last in both directions.
    Due,
    /// The priority.
    Priority,
    /// The title, without case and accents.
    Title,
    /// The user's own order.
    Position,
    /// The time of deletion.
    Deleted,
}

impl SortField {
    /// The number in page tokens.
    pub fn number(self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Updated => 1,
            Self::Due => 2,
            Self::Priority => 3,
            Self::Title => 4,
            Self::Position => 5,
            Self::Deleted => 6,
        }
    }
}

/// The order of a list. Ids break ties, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The field.
    pub by: SortField,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Sort {
    /// The newest task first.
    pub const NEWEST: Self = Self { by: SortField::Created, descending: true };

    /// The requested order. By default the newest task comes first, and in the trash the one
    /// deleted last.
    pub fn asked(by: Option<SortField>, descending: Option<bool>, deleted: bool) -> Self {
        let by = by.unwrap_or(if deleted { SortField::Deleted } else { SortField::Created });
        let descending =
            descending.unwrap_or(matches!(by, SortField::Created | SortField::Deleted));
        Self { by, descending }
    }
}

/// The sort key of a task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    /// A timestamp, or a priority.
    Number(i64),
    /// A text, compared as bytes.
    Text(String),
    /// No due, after all others.
    None,
}

impl SortKey {
    /// The key of `task` in a list sorted `by` this field.
    pub fn of(task: &Task, by: SortField) -> Self {
        match by {
            SortField::Created => Self::Number(task.created_at.micros()),
            SortField::Updated => Self::Number(task.updated_at.micros()),
            SortField::Due => {
                task.content.due.as_ref().map_or(Self::None, |due| Self::Number(due.sort_key()))
            }
            SortField::Priority => Self::Number(task.content.priority.number()),
            SortField::Title => Self::Text(sort_key(task.content.title.as_str())),
            SortField::Position => Self::Text(task.position.to_string()),
            SortField::Deleted => {
                task.deleted_at.map_or(Self::None, |deleted| Self::Number(deleted.micros()))
            }
        }
    }

    /// Whether a list sorted `by` this field has such keys.
    pub fn suits(&self, by: SortField) -> bool {
        match self {
            Self::Number(_) => !matches!(by, SortField::Title | SortField::Position),
            Self::Text(_) => matches!(by, SortField::Title | SortField::Position),
            Self::None => by == SortField::Due,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        task::{Task, sample},
        timestamp::Timestamp,
    };

    pub const ALL: [SortField; 7] = [
        SortField::Created,
        SortField::Updated,
        SortField::Due,
        SortField::Priority,
        SortField::Title,
        SortField::Position,
        SortField::Deleted,
    ];

    #[test]
    fn the_newest_comes_first_unless_said_and_anything_else_rises() {
        assert_eq!(Sort::asked(None, None, false), Sort::NEWEST);
        assert_eq!(Sort::asked(Some(SortField::Created), None, true), Sort::NEWEST);
        assert_eq!(
            Sort::asked(None, None, true),
            Sort { by: SortField::Deleted, descending: true }
        );
        assert!(!Sort::asked(Some(SortField::Title), None, false).descending);
        assert!(Sort::asked(Some(SortField::Title), Some(true), false).descending);
        assert!(!Sort::asked(None, Some(false), false).descending);
    }

    #[test]
    fn every_order_has_a_number_and_keys_of_its_own_kind() {
        let numbers: std::collections::BTreeSet<_> =
            ALL.into_iter().map(SortField::number).collect();
        assert_eq!(numbers.len(), ALL.len());
        let now = Timestamp::from_micros(5);
        let mut task = Task::new("alice", sample("Élan"), now, 1, 0);
        assert_eq!(SortKey::of(&task, SortField::Title), SortKey::Text("elan".into()));
        assert_eq!(SortKey::of(&task, SortField::Due), SortKey::None);
        task.deleted_at = Some(now);
        assert!(ALL.into_iter().all(|by| SortKey::of(&task, by).suits(by)));
        assert!(
            !SortKey::None.suits(SortField::Created) && !SortKey::Number(1).suits(SortField::Title)
        );
    }
}
