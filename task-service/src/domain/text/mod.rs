//! The folding and splitting of texts for full-text search, sorting and comparison.
//!
//! Done here and not by the databases, so that both give the same results. A change of the rules
//! needs a new index (`RULES` of `query::full_text`).

mod fold;
mod identity;
mod script;

use self::script::{is_mark, is_of_word};
pub use self::{
    fold::fold,
    identity::identity,
    script::{is_unspaced, is_visible},
};

/// Whether `text` has at most `most` characters.
pub fn fits(text: &str, most: usize) -> bool {
    text.len() <= most || text.chars().nth(most).is_none()
}

/// The words of a folded text: runs of letters, digits and marks.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c| !is_of_word(c)).filter(|word| !word.is_empty())
}

/// A part of a word in scripts that either all or none write spaces between words.
pub struct Piece<'a> {
    /// The text.
    pub text: &'a str,
    /// Whether the script of the text has no spaces between words.
    pub is_unspaced: bool,
}

/// The pieces of a word.
pub fn pieces(word: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let is_unspaced = is_unspaced(rest.chars().next()?);
        let other = |c| !is_mark(c) && self::is_unspaced(c) != is_unspaced;
        let (text, behind) = rest.split_at(rest.find(other).unwrap_or(rest.len()));
        rest = behind;
        Some(Piece { text, is_unspaced })
    })
}

/// Every letter, digit and mark except ideographs and syllables, which behave alike.
#[cfg(test)]
fn characters() -> impl Iterator<Item = char> {
    let alike = |c: &char| matches!(*c, '\u{3400}'..='\u{a48f}' | '\u{ac00}'..='\u{d7a3}');
    ('\0'..'\u{17000}').chain('\u{1d000}'..'\u{20000}').filter(move |c| is_of_word(*c) && !alike(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits_with_their_marks() {
        let text = fold("Buy 2 l of milk, e-mail bob@example.com; 牛乳 100% हिन्दी");
        let found: Vec<_> = words(&text).collect();
        assert_eq!(
            found,
            [
                "buy",
                "2",
                "l",
                "of",
                "milk",
                "e",
                "mail",
                "bob",
                "example",
                "com",
                "牛乳",
                "100",
                "हिन्दी"
            ]
        );
        assert_eq!(words("\"' OR 1=1 --").collect::<Vec<_>>(), ["OR", "1", "1"]);
        assert_eq!(words(&fold("\u{301} 🦀\u{fe0f} \u{3164}")).count(), 0, "no letter");
    }

    #[test]
    fn a_word_is_cut_where_spaces_begin_to_be_written() {
        for (word, expected) in [
            ("milk", &["milk"][..]),
            ("重跑gen", &["重跑", "gen"]),
            ("后50条", &["后", "50", "条"]),
            ("スーパーで牛乳2本", &["スーパーで牛乳", "2", "本"]),
            ("ไทยthai", &["ไทย", "thai"]),
            ("か\u{309a}a", &["か\u{309a}", "a"]),
        ] {
            let found: Vec<_> = pieces(word).map(|piece| piece.text).collect();
            assert_eq!(found, expected, "{word}");
        }
    }
}
