//! The glossary: a search for a standard term leads to the file that is the thing.

use super::tree::Tree;

/// Standard terms, and the words of which one stands in the path of the file. Empty: the words
/// of the term.
const TERMS: [(&str, &[&str]); 36] = [
    ("access token", &["verifier", "issuer", "claims"]),
    ("admission", &[]),
    ("audit log", &["audit_log"]),
    ("backoff", &[]),
    ("backpressure", &["backpressure", "admission", "streaming"]),
    ("connection limit", &["connection_limit"]),
    ("CORS", &[]),
    ("CSRF", &[]),
    ("cursor", &[]),
    ("deadline", &["deadline", "call"]),
    ("entity tag", &["etag", "conditions"]),
    ("erasure", &[]),
    ("export", &[]),
    ("graceful shutdown", &["shutdown"]),
    ("health", &[]),
    ("idempotency key", &["idempotency", "fingerprint", "request"]),
    ("import", &[]),
    ("keyring", &[]),
    ("load shedding", &["admission", "shed"]),
    ("migration", &[]),
    ("notification", &[]),
    ("OpenAPI", &[]),
    ("outbox", &["outbox", "erasure"]),
    ("per-user queue", &["queue"]),
    ("permit", &[]),
    ("precondition", &["precondition", "conditions"]),
    ("principal", &[]),
    ("rate limit", &["rate_limit"]),
    ("recurrence", &[]),
    ("reminder", &[]),
    ("request body", &["body/request"]),
    ("request id", &["request_id"]),
    ("response body", &["body/response"]),
    ("retention", &[]),
    ("session cap", &[]),
    ("telemetry", &[]),
];

/// The terms that no file carries both in the first paragraph of its module comment and, as one
/// of these words, in its path.
fn missing(tree: &Tree) -> Vec<&'static str> {
    let leads_to_a_file = |(term, words): &(&str, &[&str])| {
        tree.subjects().any(|(path, subject)| {
            let own: Vec<String> = term.split([' ', '-']).map(str::to_lowercase).collect();
            let named = words.iter().any(|word| path.contains(word))
                || (words.is_empty() && own.iter().any(|word| path.contains(word.as_str())));
            named && carries(&subject, term)
        })
    };
    TERMS.iter().filter(|term| !leads_to_a_file(term)).map(|(term, _)| *term).collect()
}

/// Whether a text has the term as words of its own, also in the plural.
fn carries(text: &str, term: &str) -> bool {
    let spaced = |text: &str| {
        let words: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        format!(" {} ", words.join(" "))
    };
    let (text, term) = (spaced(text), spaced(term));
    text.contains(&term) || text.contains(&format!("{}s ", term.trim_end()))
}

#[test]
fn a_standard_term_leads_to_its_file() {
    let missing = missing(&Tree::read());
    assert_eq!(missing, [""; 0], "these lead nowhere");
}

#[test]
fn a_term_counts_in_a_file_that_is_named_after_it() {
    let mut tree = Tree::default();
    assert_eq!(missing(&tree).len(), TERMS.len());
    tree.plant("server/src/a.rs", "//! Rate limits of a client.");
    tree.plant("server/src/rate_limit/mod.rs", "//! Calls.\n//!\n//! The rate limits.");
    assert!(missing(&tree).contains(&"rate limit"));
    tree.plant("server/src/rate_limit/key.rs", "//! The key\n//! of a rate\n//! limit.");
    assert!(!missing(&tree).contains(&"rate limit"));
}
