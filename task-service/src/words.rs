//! What texts are searched and compared by: words without case and accents.
//!
//! Done here and not by the databases, so that both give the same answers. What is stored
//! outlives this code: whoever changes [`fold`] or [`Lexicon`] has all tasks indexed anew.

use std::{borrow::Cow, collections::BTreeSet, fmt::Write};

use sha2::{Digest, Sha256};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::task::tags;

/// Longer words count by their beginning.
const WORD_CHARS: usize = 40;

/// Between the owner and the tag in the token of a tag. No word holds it, and both
/// databases take it for a letter.
const TAG: char = '§';

/// `text` without case and accents.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    // Through capitals, which `ß` and the two small sigmas have in common with their twins.
    let folded = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkd()
        .filter(|c| !is_combining_mark(*c));
    Cow::Owned(folded.collect())
}

/// Whether `text` has at most `most` characters; most texts are short enough in bytes.
pub fn fits(text: &str, most: usize) -> bool {
    text.len() <= most || text.chars().nth(most).is_none()
}

/// The words of a text that has been folded.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.char_indices().nth(WORD_CHARS).map_or(word, |(end, _)| &word[..end]))
}

/// The tokens of one user in the full-text index.
///
/// The index is one for all users. Each token begins with a mark of its user, so that a
/// search walks that user's part of it alone, however many tasks others have. The mark
/// grants nothing: every statement asks for the owner as well.
pub struct Lexicon(String);

impl Lexicon {
    /// The tokens of `user_id`.
    pub fn of(user_id: &str) -> Self {
        let digest = Sha256::new().chain_update(user_id).finalize();
        let mut mark = String::with_capacity(8);
        for byte in &digest[..4] {
            // Writing to a string does not fail.
            let _ = write!(mark, "{byte:02x}");
        }
        Self(mark)
    }

    /// Everything a task is found by, sorted, each once, a space between.
    pub fn index(&self, title: &str, description: &str, tags: &[String]) -> String {
        let mut tokens = BTreeSet::new();
        for text in [title, description].into_iter().chain(tags.iter().map(String::as_str)) {
            tokens.extend(self.words(text));
        }
        tokens.extend(tags.iter().filter_map(|tag| Some(self.tag(&tags::key(tag).ok()?))));
        let mut line = String::new();
        for token in tokens {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&token);
        }
        line
    }

    /// The tokens of the words of `text`, in order.
    pub fn words(&self, text: &str) -> Vec<String> {
        words(&fold(text)).map(|word| format!("{}{word}", self.0)).collect()
    }

    /// The token of a tag with this key. It begins no word's token.
    pub fn tag(&self, key: &str) -> String {
        let digest = Sha256::new().chain_update(key).finalize();
        let mut token = format!("{}{TAG}", self.0);
        for byte in &digest[..8] {
            let _ = write!(token, "{byte:02x}");
        }
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_forgets_case_accents_and_ligatures() {
        for (text, folded) in [
            ("Milk", "milk"),
            ("already", "already"),
            ("Crème Brûlée", "creme brulee"),
            ("STRASSE straße", "strasse strasse"),
            ("Ὀδυσσεύς ΟΔΥΣΣΕΥΣ", "οδυσσευσ οδυσσευσ"),
            ("İstanbul", "istanbul"),
            ("ﬁnal №5", "final no5"),
            ("Ёлка", "елка"),
            ("ＡＢＣ", "abc"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
            assert_eq!(fold(&fold(text)), folded, "twice is once: {text}");
        }
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        let text = fold("Buy 2 l of milk, e-mail bob@example.com; 牛乳 100%");
        let found: Vec<_> = words(&text).collect();
        assert_eq!(
            found,
            ["buy", "2", "l", "of", "milk", "e", "mail", "bob", "example", "com", "牛乳", "100"]
        );
        assert_eq!(words("\"' OR 1=1 --").collect::<Vec<_>>(), ["OR", "1", "1"]);
        assert_eq!(words(&"x".repeat(99)).next().map(str::len), Some(WORD_CHARS));
    }

    #[test]
    fn every_user_has_tokens_of_their_own_and_tags_are_no_words() {
        let (ada, bob) = (Lexicon::of("ada"), Lexicon::of("bob"));
        let tags = ["Work".to_owned(), "to do".to_owned()];
        let line = ada.index("Work work", "", &tags);
        let tokens: Vec<_> = line.split(' ').collect();
        assert_eq!(tokens.len(), 5, "{line}");
        assert!(tokens.is_sorted() && tokens.iter().all(|token| token.starts_with(&ada.0)));
        for token in ada.words("work to do").into_iter().chain([ada.tag("work"), ada.tag("to do")])
        {
            assert!(tokens.contains(&token.as_str()), "{token}");
        }
        assert!(!tokens.contains(&ada.tag("to").as_str()), "a tag is found whole");
        assert!(bob.words("work").iter().all(|token| !tokens.contains(&token.as_str())));
    }

    #[test]
    fn stored_tokens_outlive_their_process_so_they_are_fixed() {
        const FIXED: &str = "fdee430dhome fdee430dmilk fdee430d§4ea140588150773c";
        let ada = Lexicon::of("ada");
        assert_eq!(ada.index("Milk", "", &["Home".into()]), FIXED);
    }
}
