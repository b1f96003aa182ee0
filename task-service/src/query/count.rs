//! How many tasks there are, of which kind.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, btree_map::Entry},
};

use crate::domain::task::{Priority, tags};

/// The most tags a caller is told.
const TAGS: usize = 1000;

/// The tasks that pass a filter, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Not done.
    pub open: i64,
    /// Done.
    pub completed: i64,
    /// Not done, and too late.
    pub overdue: i64,
    /// Those of each priority that has some, low first.
    pub priorities: BTreeMap<Priority, i64>,
    /// Those of each tag and how it is spelled, most first.
    pub tags: Vec<(String, i64)>,
}

/// The tasks whose tag is spelled in this way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    /// As it is spelled.
    pub tag: String,
    /// So many tasks.
    pub count: i64,
    /// The number of the latest change of one of them.
    pub revision: i64,
}

/// The tags that `spellings` are of: most tasks first, then in order of their keys. A tag
/// is spelled as in the task of its latest change.
pub fn tags_of(spellings: impl IntoIterator<Item = Spelling>) -> Vec<(String, i64)> {
    let mut tags: BTreeMap<String, Spelling> = BTreeMap::new();
    for spelling in spellings {
        match tags.entry(tags::identity_of(&spelling.tag)) {
            Entry::Vacant(place) => {
                place.insert(spelling);
            }
            Entry::Occupied(mut place) => {
                // A task has a tag once, however it is spelled.
                let before = place.get_mut();
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
