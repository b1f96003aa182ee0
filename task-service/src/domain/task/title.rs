//! The title of a task.

use crate::domain::text::{self, fold};

/// The most characters a title may have.
const CHARS: usize = 200;

/// The most characters of a title's sort key.
const SORTED_CHARS: usize = 100;

/// A valid title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

/// The error of an invalid title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to {CHARS} characters after trimming, one of them visible, without control \
     characters"
)]
pub struct InvalidTitle;

impl Title {
    /// Parses 1 to 200 characters after trimming, at least one of them visible, without control
    /// characters. A character is a Unicode scalar value.
    pub fn parse(text: &str) -> Result<Self, InvalidTitle> {
        let text = text.trim();
        if !text::is_visible(text) || !text::fits(text, CHARS) || text.contains(char::is_control) {
            return Err(InvalidTitle);
        }
        Ok(Self(text.to_owned()))
    }

    /// The title of a stored task.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The title as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The title as text.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// The sort key of a title, compared as bytes by both databases: folded, at most 100 characters.
pub fn sort_key(title: &str) -> String {
    let mut key = fold(title).into_owned();
    if let Some((end, _)) = key.char_indices().nth(SORTED_CHARS) {
        key.truncate(end);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_trimmed_counted_in_characters_and_printable() {
        let longest = "🦀".repeat(200);
        for (text, kept) in [
            ("a", "a"),
            ("  a b\t\n", "a b"),
            ("\u{3000}задача\u{a0}", "задача"),
            (longest.as_str(), longest.as_str()),
        ] {
            assert_eq!(Title::parse(text).expect("a title").as_str(), kept);
        }
        for text in
            ["", " ", "\t\n", "\u{3000}", "a\nb", "a\0", "a\u{7f}b", "a\u{85}b", &"🦀".repeat(201)]
        {
            assert_eq!(Title::parse(text), Err(InvalidTitle), "{text:?}");
        }
        for blank in ["\u{200b}", "\u{feff} \u{2060}", "\u{3164}", "\u{e0041}", "\u{2800}"] {
            assert_eq!(Title::parse(blank), Err(InvalidTitle), "{blank:?}");
        }
    }

    #[test]
    fn titles_sort_without_case_and_accents_and_within_bounds() {
        let mut titles = ["Zebra", "éclair", "Apple", "apple pie", "Éclair"];
        titles.sort_by_key(|title| sort_key(title));
        assert_eq!(titles, ["Apple", "apple pie", "éclair", "Éclair", "Zebra"]);
        assert_eq!(sort_key(&"ﷺ".repeat(200)).chars().count(), SORTED_CHARS);
    }
}
