//! What a list is sorted by.

use crate::domain::task::{Task, sort_key};

/// What tasks are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// When they were made.
    Created,
    /// When they last changed.
    Updated,
    /// When they are due; those without come last, whichever way round.
    Due,
    /// How urgent they are.
    Priority,
    /// Their title, without case and accents.
    Title,
    /// The order the user gave.
    Position,
    /// When they were put into the trash.
    Deleted,
}

impl By {
    /// Its number in a token.
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
    /// By what.
    pub by: By,
    /// Whether what is largest or latest comes first.
    pub descending: bool,
}

impl Sort {
    /// The newest task first.
    pub const NEWEST: Self = Self { by: By::Created, descending: true };

    /// The order of the list of the trash, or of the one outside. Unless a caller says
    /// otherwise, what was made last comes first, and in the trash what was deleted last.
    pub fn asked(by: Option<By>, descending: Option<bool>, deleted: bool) -> Self {
        let by = by.unwrap_or(if deleted { By::Deleted } else { By::Created });
        let descending = descending.unwrap_or(matches!(by, By::Created | By::Deleted));
        Self { by, descending }
    }
}

/// Where a task stands in an order, but for its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A moment, or a priority.
    Number(i64),
    /// A text that sorts byte for byte.
    Text(String),
    /// Behind all others: the task has no due.
    None,
}

impl Key {
    /// That of `task` in a list that is sorted `by` it.
    pub fn of(task: &Task, by: By) -> Self {
        match by {
            By::Created => Self::Number(task.created_at.micros()),
            By::Updated => Self::Number(task.updated_at.micros()),
            By::Due => {
                task.content.due.as_ref().map_or(Self::None, |due| Self::Number(due.sort_key()))
            }
            By::Priority => Self::Number(task.content.priority.number()),
            By::Title => Self::Text(sort_key(task.content.title.as_str())),
            By::Position => Self::Text(task.position.to_string()),
            By::Deleted => {
                task.deleted_at.map_or(Self::None, |deleted| Self::Number(deleted.micros()))
            }
        }
    }

    /// Whether a list that is sorted `by` it has such keys.
    pub fn suits(&self, by: By) -> bool {
        match self {
            Self::Number(_) => !matches!(by, By::Title | By::Position),
            Self::Text(_) => matches!(by, By::Title | By::Position),
            Self::None => by == By::Due,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        task::{Task, sample},
        timestamp::Moment,
    };

    pub const ALL: [By; 7] =
        [By::Created, By::Updated, By::Due, By::Priority, By::Title, By::Position, By::Deleted];

    #[test]
    fn the_newest_comes_first_unless_said_and_anything_else_rises() {
        assert_eq!(Sort::asked(None, None, false), Sort::NEWEST);
        assert_eq!(Sort::asked(Some(By::Created), None, true), Sort::NEWEST);
        assert_eq!(Sort::asked(None, None, true), Sort { by: By::Deleted, descending: true });
        assert!(!Sort::asked(Some(By::Title), None, false).descending);
        assert!(Sort::asked(Some(By::Title), Some(true), false).descending);
        assert!(!Sort::asked(None, Some(false), false).descending);
    }

    #[test]
    fn every_order_has_a_number_and_keys_of_its_own_kind() {
        let numbers: std::collections::BTreeSet<_> = ALL.into_iter().map(By::number).collect();
        assert_eq!(numbers.len(), ALL.len());
        let now = Moment::from_micros(5);
        let mut task = Task::new("alice", sample("Élan"), now, 1, 0);
        assert_eq!(Key::of(&task, By::Title), Key::Text("elan".into()));
        assert_eq!(Key::of(&task, By::Due), Key::None);
        task.deleted_at = Some(now);
        assert!(ALL.into_iter().all(|by| Key::of(&task, by).suits(by)));
        assert!(!Key::None.suits(By::Created) && !Key::Number(1).suits(By::Title));
    }
}
