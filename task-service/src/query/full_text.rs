//! Full-text search: the index entry of a task, and the terms of a query. `query/filter.rs` takes the
//! words from the text; `store/search.rs` makes conditions of the terms, `store/dialect.rs` SQL.

use std::{collections::BTreeSet, fmt::Write};

use sha2::{Digest, Sha256};

use crate::domain::text::{Piece, fold, identity, is_unspaced, pieces, words};

/// The most characters of a token; longer words are truncated.
const WORD_CHARS: usize = 40;

/// The separator of owner and tag in the token of a tag. No word has it, and both databases treat
/// it as a letter.
const TAG: char = '§';

/// The version of the rules below, with which each index entry begins. Other entries are indexed
/// again (index `task_outdated`), so a change of the rules changes this and that index.
pub const RULES: &str = "§2";

/// The separator of the pieces of a word in a phrase.
const JOINT: char = '|';

/// The tokens of one user in the full-text index.
///
/// All users share the index. Each token begins with a mark of its user, so that a search scans
/// that user's part alone. The mark grants nothing: every statement filters by the owner as well.
pub struct Lexicon(String);

/// The index entry of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The distinct tokens, separated by spaces.
    pub words: String,
    /// The distinct words in scripts without spaces, separated by spaces: they tell adjacent tokens
    /// from others. Many tasks have none.
    pub phrases: Option<String>,
}

/// A token, or the prefix of one. It consists of letters, marks, digits and `§`, so it needs no
/// escaping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The token.
    pub token: String,
    /// Whether the whole token must match, not a prefix.
    pub is_whole: bool,
}

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

    /// The index entry of these texts.
    pub fn index(&self, title: &str, description: &str, tags: &[String]) -> IndexEntry {
        let (mut tokens, mut phrases) = (BTreeSet::new(), BTreeSet::new());
        for text in [title, description].into_iter().chain(tags.iter().map(String::as_str)) {
            for word in words(&fold(text)) {
                self.add(word, &mut tokens);
                phrases.extend(phrase(word));
            }
        }
        tokens.extend(tags.iter().map(|tag| self.tag(&identity(tag.trim())).token));
        let mut line = format!("{RULES}{}", self.0);
        for token in tokens {
            line.push(' ');
            line.push_str(&token);
        }
        let phrases = phrases.into_iter().reduce(|all, next| all + " " + &next);
        IndexEntry { words: line, phrases }
    }

    /// Adds the tokens of a folded word: in scripts without spaces each character with the next
    /// one, so that a search for either finds an entry.
    fn add(&self, word: &str, tokens: &mut BTreeSet<String>) {
        for Piece { text, is_unspaced } in pieces(word) {
            if is_unspaced {
                let starts = text.char_indices().map(|(start, _)| start);
                tokens.extend(starts.map(|start| self.token(beginning(&text[start..], 2))));
            } else {
                tokens.insert(self.token(beginning(text, WORD_CHARS)));
            }
        }
    }

    /// The terms of tasks with a folded word that begins with `word`; together with [`phrase_of`]
    /// they are exact.
    pub fn terms(&self, word: &str) -> Vec<Term> {
        let mut terms = Vec::new();
        let mut pieces = pieces(word).peekable();
        while let Some(Piece { text, is_unspaced }) = pieces.next() {
            if !is_unspaced {
                let token = self.token(beginning(text, WORD_CHARS));
                terms.push(Term { token, is_whole: pieces.peek().is_some() });
                continue;
            }
            let starts: Vec<_> = text.char_indices().map(|(start, _)| start).collect();
            let Some(last) = starts.len().checked_sub(2) else {
                terms.push(Term { token: self.token(text), is_whole: false });
                continue;
            };
            // The terms cover every character; the phrase checks that they are adjacent.
            for start in starts[..last].iter().step_by(2).chain([&starts[last]]) {
                let token = self.token(beginning(&text[*start..], 2));
                terms.push(Term { token, is_whole: true });
            }
        }
        terms
    }

    /// The term of a tag with this key; no token of a word begins with it.
    pub fn tag(&self, identity: &str) -> Term {
        let digest = Sha256::new().chain_update(identity).finalize();
        let mut token = format!("{}{TAG}", self.0);
        for byte in &digest[..8] {
            let _ = write!(token, "{byte:02x}");
        }
        Term { token, is_whole: true }
    }

    fn token(&self, text: &str) -> String {
        format!("{}{text}", self.0)
    }
}

/// The phrase of `word` as part of the phrases of a task; `None` if the terms are exact.
pub fn phrase_of(word: &str) -> Option<String> {
    let mut pieces = pieces(word);
    let first = pieces.next()?;
    let is_short = first.text.chars().nth(2).is_none();
    if pieces.next().is_none() && (is_short || !first.is_unspaced) { None } else { phrase(word) }
}

/// The phrase of `word` with its pieces separated; `None` without a script without spaces. A piece
/// in other scripts shows its beginning, so that it is not found within a word.
fn phrase(word: &str) -> Option<String> {
    if !word.contains(is_unspaced) {
        return None;
    }
    let mut phrase = String::with_capacity(word.len());
    for Piece { text, is_unspaced } in pieces(word) {
        if !phrase.is_empty() || !is_unspaced {
            phrase.push(JOINT);
        }
        phrase.push_str(text);
    }
    Some(phrase)
}

fn beginning(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(indexed: &IndexEntry) -> Vec<&str> {
        indexed.words.split(' ').collect()
    }

    #[test]
    fn every_user_has_tokens_of_their_own_and_tags_are_no_words() {
        let (ada, bob) = (Lexicon::of("ada"), Lexicon::of("bob"));
        let tags = ["Work".to_owned(), "to do".to_owned()];
        let indexed = ada.index("Work work", "", &tags);
        let tokens = tokens(&indexed);
        assert_eq!(tokens.len(), 6, "{indexed:?}");
        assert_eq!((tokens[0], &indexed.phrases), ("§2fdee430d", &None));
        assert!(tokens[1..].is_sorted());
        assert!(tokens[1..].iter().all(|token| token.starts_with(&ada.0)));
        let words = ["work", "to", "do"].map(|word| ada.token(word));
        for token in words.into_iter().chain(["work", "to do"].map(|tag| ada.tag(tag).token)) {
            assert!(tokens.contains(&token.as_str()), "{token}");
        }
        assert!(!tokens.contains(&ada.tag("to").token.as_str()), "a tag is found whole");
        assert!(!tokens.contains(&bob.token("work").as_str()));
    }

    #[test]
    fn stored_tokens_outlive_their_process_so_they_are_fixed() {
        let ada = Lexicon::of("ada");
        let indexed = ada.index("Milk", "", &["Home".into()]);
        assert_eq!(indexed.words, "§2fdee430d fdee430dhome fdee430dmilk fdee430d§4ea140588150773c");
        let indexed = ada.index("重跑gen-itgc后50条", "", &[]);
        let tokens: Vec<_> = tokens(&indexed)[1..].iter().map(|token| &token[8..]).collect();
        assert_eq!(tokens, ["50", "gen", "itgc", "后", "条", "跑", "重跑"]);
        assert_eq!(indexed.phrases.as_deref(), Some("|itgc|后|50|条 重跑|gen"));
    }

    #[test]
    fn a_word_is_asked_for_by_few_tokens_and_its_phrase() {
        let ada = Lexicon::of("ada");
        let spelled = |word: &str| {
            let terms = ada.terms(word).into_iter();
            let spelled = terms.map(|Term { token, is_whole }| {
                format!("{}{}", &token[8..], if is_whole { "" } else { "*" })
            });
            (spelled.collect::<Vec<_>>().join(" "), phrase_of(word))
        };
        for (word, terms, phrase) in [
            ("milk", "milk*", None),
            ("成", "成*", None),
            ("成语", "成语", None),
            ("成语接", "成语 语接", Some("成语接")),
            ("成语接龙", "成语 接龙", Some("成语接龙")),
            ("3月", "3 月*", Some("|3|月")),
            ("月3", "月* 3*", Some("月|3")),
        ] {
            assert_eq!(spelled(word), (terms.to_owned(), phrase.map(str::to_owned)), "{word}");
        }
        let long = "x".repeat(99);
        assert_eq!(spelled(&long), (format!("{}*", "x".repeat(40)), None));
    }
}
