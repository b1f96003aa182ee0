//! The counts of tasks by state, priority and tag.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, btree_map::Entry},
};

use crate::domain::task::{Priority, tags};

/// The most tags in a response.
const TAGS: usize = 1000;

/// The counts of the tasks that match a filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Open tasks.
    pub open: i64,
    /// Completed tasks.
    pub completed: i64,
    /// Open tasks that are overdue.
    pub overdue: i64,
    /// Tasks of each priority that has some, low first.
    pub priorities: BTreeMap<Priority, i64>,
    /// Tasks of each tag as spelled, most first.
    pub tags: Vec<(String, i64)>,
    /// Whether the latest tasks alone were counted, and more may match.
    pub is_partial: bool,
}

/// The tasks with one spelling of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// The spelling.
    pub tag: String,
    /// The number of tasks.
    pub count: i64,
    /// The greatest change number of these tasks.
    pub revision: i64,
}

/// The tags of `spellings`: most tasks first, then by key. A tag is spelled as in the task changed
/// last.
pub fn tags_of(spellings: impl IntoIterator<Item = Spelling>) -> Vec<(String, i64)> {
    let mut tags: BTreeMap<String, Spelling> = BTreeMap::new();
    for spelling in spellings {
        match tags.entry(tags::identity_of(&spelling.tag)) {
            Entry::Vacant(entry) => {
                entry.insert(spelling);
            }
            Entry::Occupied(mut entry) => {
                // A task has each tag once, so the counts add up.
                let before = entry.get_mut();
                let count = before.count + spelling.count;
                let is_later = |s: &Spelling| (s.revision, Reverse(s.tag.clone()));
                if is_later(&spelling) > is_later(before) {
                    *before = spelling;
                }
                before.count = count;
            }
        }
    }
    let mut counts: Vec<_> = tags.into_values().map(|tag| (tag.tag, tag.count)).collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    counts.truncate(TAGS);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelling(tag: &str, count: i64, revision: i64) -> Spelling {
        Spelling { tag: tag.to_owned(), count, revision }
    }

    #[test]
    fn a_tag_has_the_spelling_of_its_latest_change() {
        let spellings = [
            spelling("work", 5, 1),
            spelling("Café", 1, 2),
            spelling("café", 5, 9),
            spelling("CAFÉ", 3, 9),
            spelling("cafe", 1, 9),
            spelling("home", 5, 3),
        ];
        let tags = tags_of(spellings.clone());
        let expected = [("CAFÉ", 9), ("home", 5), ("work", 5), ("cafe", 1)];
        assert_eq!(tags, expected.map(|(tag, count)| (tag.to_owned(), count)));
        assert_eq!(tags_of(spellings.into_iter().rev()), tags, "in whichever order they come");
    }

    #[test]
    fn the_rarest_of_too_many_are_left_out() {
        let tags = tags_of((0..1500).map(|n| spelling(&format!("tag {n}"), n, 1)));
        assert_eq!((tags.len(), tags[0].1, tags[999].1), (1000, 1499, 500));
    }
}
