//! What no server may write anywhere, and whether one did. Every process that any test starts
//! logs at TRACE and is checked at its end; a flow that makes a new kind of secret
//! registers it here.

mod flows;

use std::{
    collections::BTreeSet,
    sync::{LazyLock, Mutex},
};

use crate::{caller::PASSWORD, forge::FOREIGN, world::SECRET};

/// Secrets by what they are.
static KNOWN: LazyLock<Mutex<BTreeSet<(&str, String)>>> = LazyLock::new(|| {
    let fixed = [("secret", SECRET), ("secret", FOREIGN), ("password", PASSWORD)];
    Mutex::new(fixed.map(|(what, value)| (what, value.to_owned())).into())
});

/// From now on no server may write `value`. Of a signed value, neither part.
pub fn register(what: &'static str, value: &str) {
    let mut known = KNOWN.lock().expect("unpoisoned");
    for part in value.split(['.', ':']).chain([value]) {
        // Shorter parts are no secrets, and would be found by chance.
        if part.len() >= 8 {
            known.insert((what, part.to_owned()));
        }
    }
}

/// Fails if `log` holds a registered secret, or text that resembles a token, a signed
/// cookie, a stored password or an e-mail address.
#[track_caller]
pub fn assert_kept(log: &str) {
    let found = hits(log);
    assert!(found.is_empty(), "{} lines hold what they must not: {:#?}", found.len(), found);
}

/// What was found, and the line it is in.
fn hits(log: &str) -> Vec<(&'static str, String)> {
    let known = KNOWN.lock().expect("unpoisoned").clone();
    let mut hits = Vec::new();
    for (what, value) in &known {
        // One search for each: most are in no line.
        if log.contains(value.as_str()) {
            let line = log.lines().find(|line| line.contains(value.as_str()));
            hits.push((*what, line.unwrap_or_default().to_owned()));
        }
    }
    for line in log.lines().filter(|line| !is_sample(line)) {
        if let Some(what) = looks_like(line) {
            hits.push((what, line.to_owned()));
        }
    }
    hits
}

/// The commands in standalone's banner: they sign up an invented user.
fn is_sample(line: &str) -> bool {
    let command = line.trim_start();
    let command = command.strip_prefix("call ").unwrap_or(command);
    command.starts_with(r#"-d '{"email":""#)
}

/// What a line holds by its shape, registered or not.
fn looks_like(line: &str) -> Option<&'static str> {
    if holds_token(line) {
        return Some("token");
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    let is_address = line.match_indices('@').any(|(at, _)| {
        let after = line[at + 1..].split(|c| !is_word(c)).next().unwrap_or_default();
        line[..at].ends_with(is_word) && after.contains('.')
    });
    if is_address {
        return Some("e-mail address");
    }
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let is_stored = line.split(|c| !is_hex(c) && c != ':').any(|word| {
        word.split_once(':').is_some_and(|(salt, key)| salt.len() == 32 && key.len() >= 32)
    });
    is_stored.then_some("stored password")
}

/// Every JSON object begins so in base64url: header, claims, or both. An id of 32 letters and
/// digits may begin so too, or have the three letters within.
fn holds_token(line: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let is_id = |word: &str| word.len() == 32 && word.bytes().all(|c| c.is_ascii_alphanumeric());
    line.split(|c| !is_part(c))
        .filter(|word| !is_id(word))
        .any(|word| word.split('.').any(|part| part.starts_with("eyJ")))
}

#[test]
fn what_must_not_be_written_is_noticed() {
    register("session token", "Zq7markerZq7markerZq7markerZq7ma.c2lnbmF0dXJlIG9mIGl0IQ==");
    let salt = "0123456789abcdef".repeat(2);
    for (line, what) in [
        (format!("key={SECRET}"), "secret"),
        (format!("{PASSWORD}?"), "password"),
        ("token=Zq7markerZq7markerZq7markerZq7ma".to_owned(), "session token"),
        ("sig c2lnbmF0dXJlIG9mIGl0IQ==".to_owned(), "session token"),
        ("Bearer eyJhbGciOiJIUzI1NiJ9".to_owned(), "token"),
        ("{\"token\":\"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln\"}".to_owned(), "token"),
        ("for ada.l@mail.example.org: no".to_owned(), "e-mail address"),
        (format!("{salt}:{salt}{salt}"), "stored password"),
    ] {
        let found = hits(&format!("a line\n{line}\nanother"));
        assert!(found.contains(&(what, line.clone())), "{what} in {line}: {found:?}");
    }
    assert_kept("listening grpc=127.0.0.1:50051 key.id=48e23e3c request.id=01a2150d@here");
    assert_kept("user.id=\"OmEeeyJ7mb0ozGxICqBHL7U2w1JANhho\" eyJe7mb0ozGxICqBHL7U2w1JANhhoabc");
}
