//! The tags of a task.

use crate::domain::text::{self, identity};

/// The most tags a task may have.
const TAGS: usize = 20;

/// The most characters a tag may have.
const CHARS: usize = 50;

/// The distinct tags of a task, in the order and spelling given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Vec<String>);

/// The error of invalid tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be at most {TAGS}, each of 1 to {CHARS} characters after trimming, one of them visible, \
     without control characters"
)]
pub struct InvalidTags;

impl Tags {
    /// Parses at most 20 texts of 1 to 50 characters, trimmed. Of tags that differ in case alone
    /// the first is kept.
    pub fn parse(texts: Vec<String>) -> Result<Self, InvalidTags> {
        // Bounds the work on duplicates.
        if texts.len() > 5 * TAGS {
            return Err(InvalidTags);
        }
        let mut tags = Vec::with_capacity(texts.len());
        let mut seen = Vec::with_capacity(texts.len());
        for text in texts {
            let key = key(&text)?;
            if !seen.contains(&key) {
                seen.push(key);
                tags.push(text.trim().to_owned());
            }
        }
        if tags.len() > TAGS { Err(InvalidTags) } else { Ok(Self(tags)) }
    }

    /// The tags of a stored task.
    pub fn stored(tags: Vec<String>) -> Self {
        Self(tags)
    }

    /// The tags as texts.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// The tags as texts.
    pub fn into_vec(self) -> Vec<String> {
        self.0
    }
}

/// The key by which tags are compared: `text` trimmed, without case.
pub fn key(text: &str) -> Result<String, InvalidTags> {
    let text = text.trim();
    if !text::is_visible(text) || !text::fits(text, CHARS) || text.contains(char::is_control) {
        return Err(InvalidTags);
    }
    Ok(identity_of(text))
}

/// The key of a stored tag, which may break today's rules.
pub fn identity_of(tag: &str) -> String {
    identity(tag.trim()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<Vec<String>, InvalidTags> {
        Tags::parse(texts.iter().map(|text| (*text).to_owned()).collect()).map(Tags::into_vec)
    }

    #[test]
    fn tags_keep_their_spelling_and_the_first_of_equals_stays() {
        let kept = parse(&[" Home ", "café", "HOME", "CAFE\u{301}", "homes", "straße", "STRASSE"]);
        assert_eq!(kept.expect("tags"), ["Home", "café", "homes", "straße"]);
        let others = ["かき", "かぎ", "café", "cafe", "й", "и", "sinir", "sınır", "กา", "ก้า"];
        assert_eq!(parse(&others).expect("tags"), others, "other letters");
        assert_eq!(parse(&[]).expect("none"), [""; 0]);
    }

    #[test]
    fn tags_are_bounded_in_number_and_length() {
        let many: Vec<_> = (0..21).map(|n| n.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(parse(&many[..20]).expect("tags").len(), 20);
        let twice: Vec<_> = many[..20].iter().chain(&many[..20]).copied().collect();
        assert_eq!(parse(&twice).expect("tags").len(), 20);
        assert!(parse(&[&"🦀".repeat(50)]).is_ok());
        for faulty in [
            &many[..],
            &["🦀".repeat(51).as_str()],
            &[""],
            &["a", " "],
            &["a\nb"],
            &["\0"],
            &["\u{200b}"],
        ] {
            assert_eq!(parse(faulty), Err(InvalidTags), "{faulty:?}");
        }
    }
}
