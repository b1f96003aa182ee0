//! The filter of lists and counts.

use chrono::NaiveDate;
use serde::Serialize;

use crate::domain::{
    due::Due,
    task::{
        Priority,
        tags::{self, InvalidTags},
    },
    text::{fits, fold, words},
    timestamp::Timestamp,
    zone::Zone,
};

/// The most characters a searched text may have.
const TEXT_CHARS: usize = 200;

/// The most words a searched text may have.
const TEXT_WORDS: usize = 20;

/// The most tags of each kind.
const TAGS: usize = 20;

/// A filter of tasks, normalised: the order of values does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// Completed or open.
    pub completed: Option<bool>,
    /// One of these; empty for any.
    pub priorities: Vec<Priority>,
    /// At least one of these, by key; empty for any.
    pub tags_any: Vec<String>,
    /// All of these, by key.
    pub tags_all: Vec<String>,
    /// None of these, by key.
    pub tags_none: Vec<String>,
    /// Due on this date or later.
    pub due_from: Option<NaiveDate>,
    /// Due on this date or earlier.
    pub due_until: Option<NaiveDate>,
    /// Open and overdue, or not.
    pub overdue: Option<bool>,
    /// With a due, or without.
    pub has_due: Option<bool>,
    /// Folded words: each is the prefix of a word of the task, or in scripts without spaces a part
    /// of one.
    pub words: Vec<String>,
    /// The user's time zone.
    pub zone: Zone,
    /// In the trash instead of outside.
    pub deleted: bool,
}

/// The start of a day: for dates, and for instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The bound for dates.
    pub day: Timestamp,
    /// The bound for instants.
    pub instant: Timestamp,
}

impl Filter {
    /// The start of `due_from`.
    pub fn from(&self) -> Option<Bound> {
        self.due_from.map(|day| self.start_of(day))
    }

    /// The end of `due_until`.
    pub fn end(&self) -> Option<Bound> {
        // Dates end with the year 9999.
        Some(self.start_of(self.due_until?.succ_opt()?))
    }

    /// The first due that is not overdue at `now`; see [`Due::is_overdue`].
    pub fn not_yet_overdue(&self, now: Timestamp) -> Bound {
        let today = Due::Date(self.zone.local(now).date());
        Bound { day: Timestamp::from_micros(today.sort_key()), instant: now }
    }

    fn start_of(&self, day: NaiveDate) -> Bound {
        Bound { day: Zone::UTC.day_start(day), instant: self.zone.day_start(day) }
    }

    /// Whether only tasks with a due match.
    pub fn needs_due(&self) -> bool {
        self.has_due == Some(true)
            || self.overdue == Some(true)
            || self.due_from.is_some()
            || self.due_until.is_some()
    }

    /// Whether words or tags are wanted, which the full-text index has.
    pub fn has_terms(&self) -> bool {
        [&self.words, &self.tags_any, &self.tags_all].iter().any(|wanted| !wanted.is_empty())
    }

    /// Whether the list may have to scan tasks, as no index covers the filter.
    pub fn is_search(&self) -> bool {
        let Self {
            completed: _,
            priorities,
            tags_any,
            tags_all,
            tags_none,
            due_from,
            due_until,
            overdue,
            has_due,
            words,
            zone: _,
            deleted: _,
        } = self;
        let listed = [tags_any, tags_all, tags_none, words];
        !priorities.is_empty()
            || listed.iter().any(|wanted| !wanted.is_empty())
            || due_from.is_some()
            || due_until.is_some()
            || overdue.is_some()
            || has_due.is_some()
    }

    /// The context of cursors: user and filter. Every process of one version encodes it alike.
    pub fn cursor_context(&self, user_id: &str) -> Vec<u8> {
        // Texts, numbers and days always serialise.
        serde_json::to_vec(&(user_id, self)).unwrap_or_default()
    }
}

/// The error of an invalid search text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// The text is too long.
    #[error("must be at most {TEXT_CHARS} characters")]
    TooLong,
    /// The text has too many words.
    #[error("must be at most {TEXT_WORDS} words")]
    TooManyWords,
    /// The text has no word.
    #[error("must have a letter or a digit")]
    NoWord,
}

/// The distinct folded words of a search text; none for the empty text.
pub fn search_words(text: &str) -> Result<Vec<String>, InvalidText> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if !fits(text, TEXT_CHARS) {
        return Err(InvalidText::TooLong);
    }
    let folded = fold(text);
    let mut found: Vec<_> = words(&folded).map(str::to_owned).collect();
    match found.len() {
        0 => return Err(InvalidText::NoWord),
        many if many > TEXT_WORDS => return Err(InvalidText::TooManyWords),
        _ => {}
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The distinct keys of tags.
pub fn tag_keys(texts: &[String]) -> Result<Vec<String>, InvalidTags> {
    if texts.len() > TAGS {
        return Err(InvalidTags);
    }
    let mut keys = texts.iter().map(|text| tags::key(text)).collect::<Result<Vec<_>, _>>()?;
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_its_words_and_nothing_in_it_is_an_operator() {
        for (text, found) in [
            ("", &[][..]),
            ("Milk", &["milk"]),
            ("crème  BRÛLÉE, creme", &["brulee", "creme"]),
            ("a OR b* AND NOT \"c:d\"", &["a", "and", "b", "c", "d", "not", "or"]),
            ("100%", &["100"]),
            ("牛乳", &["牛乳"]),
        ] {
            assert_eq!(search_words(text).expect("a text"), found, "{text}");
        }
    }

    #[test]
    fn a_text_is_bounded_and_has_a_word() {
        for (text, fault) in [
            ("x".repeat(201), InvalidText::TooLong),
            ("a ".repeat(21), InvalidText::TooManyWords),
            (" ".to_owned(), InvalidText::NoWord),
            ("%_\"'*\0".to_owned(), InvalidText::NoWord),
            ("\u{3164}\u{200b}\u{301}".to_owned(), InvalidText::NoWord),
        ] {
            assert_eq!(search_words(&text), Err(fault), "{text:?}");
        }
        assert!(search_words(&"ü".repeat(200)).is_ok());
        assert!(search_words(&"a ".repeat(20)).is_ok());
    }

    #[test]
    fn tags_are_keys_each_once_and_at_most_twenty() {
        let tags = |texts: &[&str]| {
            tag_keys(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            tags(&["Work", " WORK ", "home", "wörk"]).expect("tags"),
            ["home", "work", "wörk"]
        );
        assert!(tags(&["a"; 20]).is_ok());
        for faulty in [&["a"; 21][..], &[""], &["a\nb"]] {
            assert_eq!(tags(faulty), Err(InvalidTags), "{faulty:?}");
        }
    }

    #[test]
    fn different_filters_have_different_contexts() {
        let plain = Filter::default();
        let key = || vec!["a".to_owned()];
        let day = Due::parse_date("2026-11-25").ok();
        let filters = [
            plain.clone(),
            Filter { completed: Some(true), ..plain.clone() },
            Filter { completed: Some(false), ..plain.clone() },
            Filter { priorities: vec![Priority::Low], ..plain.clone() },
            Filter { tags_any: key(), ..plain.clone() },
            Filter { tags_all: key(), ..plain.clone() },
            Filter { tags_none: key(), ..plain.clone() },
            Filter { words: key(), ..plain.clone() },
            Filter { due_from: day, ..plain.clone() },
            Filter { due_until: day, ..plain.clone() },
            Filter { overdue: Some(false), ..plain.clone() },
            Filter { has_due: Some(false), ..plain.clone() },
            Filter { zone: Zone::parse("Europe/Berlin").expect("a zone"), ..plain.clone() },
            Filter { deleted: true, ..plain.clone() },
        ];
        let contexts: std::collections::BTreeSet<_> =
            filters.iter().map(|filter| filter.cursor_context("ada")).collect();
        assert_eq!(contexts.len(), filters.len());
        assert_eq!(plain.cursor_context("ada"), Filter::default().cursor_context("ada"));
        assert_ne!(plain.cursor_context("ada"), plain.cursor_context("bob"));
    }

    #[test]
    fn days_begin_where_the_caller_is_and_instants_follow() {
        let filter = Filter {
            due_from: Due::parse_date("2026-11-25").ok(),
            due_until: Due::parse_date("9999-12-31").ok(),
            zone: Zone::parse("Europe/Berlin").expect("a zone"),
            ..Filter::default()
        };
        let from = filter.from().expect("a day");
        assert_eq!(from.day.micros() - from.instant.micros(), 3_600_000_000);
        assert!(filter.end().is_some());
        // Half past midnight of the 26th in Berlin, and still the 25th in UTC.
        let now = Timestamp::from_micros(from.day.micros() + 84_600_000_000);
        let bound = filter.not_yet_overdue(now);
        assert_eq!(bound.day.micros() - from.day.micros(), 86_400_000_000);
        assert_eq!(bound.instant, now);
    }
}
