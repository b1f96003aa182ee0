//! Rules about the words of documents and comments.

use super::{Breaches, tree::Tree};

/// Words that stand for user, client, caller, replica or operator, or for a standard term.
const BANNED: [&str; 7] =
    ["everybody", "household", "newcomer", "newcomers", "nobody", "somebody", "whoever"];

/// Words and openings that make a comment a riddle: they name no thing.
const RIDDLES: [&str; 5] = ["anybody", "everybody", "nobody", "somebody", "whoever"];
const OPENINGS: [&str; 5] = ["It ", "Ours", "The same", "Theirs", "Whether it"];

/// Documents, the manual of the settings and the comments of the contracts are in plain words;
/// quotations are exempt.
pub fn plain(tree: &Tree) -> Breaches {
    let mut breaches = Breaches::new();
    for (path, text) in tree.files().filter(|(path, _)| is_document(path)) {
        for (number, line) in (1..).zip(text.lines()) {
            for word in words(line).filter(|word| BANNED.contains(&word.as_str())) {
                breaches.push(format!("{path}:{number}: {word}"));
            }
        }
    }
    breaches
}

/// Comments of production code name their thing.
pub fn no_riddles(tree: &Tree) -> Breaches {
    tree.comments()
        .filter(|(.., line)| is_riddle(line))
        .map(|(path, number, line)| format!("{path}:{number}: {}", line.trim()))
        .collect()
}

fn is_riddle(line: &str) -> bool {
    let is_opening = line
        .trim_start()
        .strip_prefix("/// ")
        .is_some_and(|comment| OPENINGS.iter().any(|opening| comment.starts_with(opening)));
    is_opening || words(line).any(|word| RIDDLES.contains(&word.as_str()))
}

/// The words of a line in lower case, without quotations.
fn words(line: &str) -> impl Iterator<Item = String> {
    let prose = line.split('`').step_by(2).collect::<Vec<_>>().join(" ").to_lowercase();
    let words = prose.split(|c: char| !c.is_alphabetic()).map(str::to_owned);
    words.collect::<Vec<_>>().into_iter()
}

fn is_document(path: &str) -> bool {
    let is_markdown = path.strip_suffix(".md").is_some();
    let is_here = !path.contains('/') || path.starts_with("docs/");
    (is_markdown && is_here)
        || path == ".env.example"
        || path.strip_suffix(".proto").is_some_and(|path| path.starts_with("proto/"))
}
