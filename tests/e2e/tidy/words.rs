//! A rule about the words of documents.

use super::{Breaches, tree::Tree};

/// Words for which a document says user, client, caller, replica or operator, or the field's
/// own term.
const BANNED: [&str; 7] =
    ["everybody", "client_prefix", "newcomer", "newcomers", "nobody", "somebody", "whoever"];

/// Documents, the manual of the settings and the comments of the contracts are in plain words;
/// what they quote may have others.
pub fn plain(tree: &Tree) -> Breaches {
    let mut breaches = Breaches::new();
    for (path, text) in tree.files().filter(|(path, _)| is_document(path)) {
        for (number, line) in (1..).zip(text.lines()) {
            let prose = line.split('`').step_by(2).collect::<Vec<_>>().join(" ").to_lowercase();
            let words = prose.split(|c: char| !c.is_alphabetic());
            for word in words.filter(|word| BANNED.contains(word)) {
                breaches.push(format!("{path}:{number}: {word}"));
            }
        }
    }
    breaches
}

fn is_document(path: &str) -> bool {
    let is_markdown = path.strip_suffix(".md").is_some();
    let is_here = !path.contains('/') || path.starts_with("docs/");
    (is_markdown && is_here)
        || path == ".env.example"
        || path.strip_suffix(".proto").is_some_and(|path| path.starts_with("proto/"))
}
