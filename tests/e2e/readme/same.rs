//! Comparison of two outputs, except for parts that differ from run to run.

use serde_json::{Deserializer, Value};

use super::block::Block;

/// Fields whose values depend on the client or the time.
const PASSING: [&str; 2] = ["etag", "userAgent"];

/// Panics unless `printed` is what `expected` shows.
pub fn assert_same(expected: &Block, printed: &str) {
    let place = &expected.place;
    if expected.info == "json" {
        let (expected, printed) = (documents(&expected.text), documents(printed));
        assert_eq!(expected, printed, "{place}");
    } else {
        let (expected, printed) = (text(&expected.text), text(printed));
        assert_eq!(expected, printed, "{place}");
    }
}

/// The JSON documents in `text`, one after another.
fn documents(text: &str) -> Vec<Value> {
    let documents = Deserializer::from_str(text).into_iter::<Value>();
    documents
        .map(|document| {
            let mut document = document.unwrap_or_else(|error| panic!("{error} in:\n{text}"));
            settle(&mut document);
            document
        })
        .collect()
}

fn settle(value: &mut Value) {
    match value {
        Value::String(text) => *text = word(text),
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(fields) => {
            for (name, value) in fields {
                settle(value);
                if PASSING.contains(&name.as_str()) {
                    *value = Value::String("<passing>".to_owned());
                }
            }
        }
        _ => {}
    }
}

/// Text line by line; white space counts once, as Go's JSON varies it on purpose.
fn text(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let names = |name: &str| line.trim_start().starts_with(&format!("\"{name}\":"));
        if let Some(name) = PASSING.into_iter().find(|name| names(name)) {
            return format!("\"{name}\": <passing>");
        }
        let words = line.split_whitespace().map(|quoted| {
            let bare = quoted.trim_matches(|c| "\",'()[]{}".contains(c));
            quoted.replace(bare, &word(bare))
        });
        words.collect::<Vec<_>>().join(" ")
    };
    text.trim().lines().map(line).collect()
}

/// The kind of a word that differs from run to run; any other word unchanged.
fn word(text: &str) -> String {
    let all = |of: fn(&u8) -> bool| text.bytes().all(|byte| of(&byte));
    let parts = |length: usize, separator: char| text.split(separator).count() == length;
    let kind = if text.starts_with("eyJ") && parts(3, '.') {
        "<access token>"
    } else if text.len() == 36 && parts(5, '-') && all(|b| b.is_ascii_hexdigit() || *b == b'-') {
        "<id>"
    } else if text.len() == 32 && all(u8::is_ascii_alphanumeric) {
        "<id or session token>"
    } else if text.len() >= 20
        && text.ends_with('Z')
        && text.as_bytes()[10] == b'T'
        && all(|b| b.is_ascii_digit() || b"-:.TZ".contains(b))
    {
        "<time>"
    } else {
        return text.to_owned();
    };
    kind.to_owned()
}

#[test]
fn what_differs_from_run_to_run_is_the_same_and_nothing_else_is() {
    let one = r#"{"id": "01a1fbc4-55db-7eed-8c75-a949a9dfe2ed", "at": "2026-11-21T01:41:50.6Z",
        "user": ["P4lBE8DuxAnyFTIkYibPws8SS34PNAPk"], "token": "eyJ0.eyJz.y_q-0", "etag": "1"}"#;
    let other = r#"{"at": "2027-01-01T00:00:00Z", "user": ["AAAAE8DuxAnyFTIkYibPws8SS34PNAPk"],
        "id": "02a1fbc4-55db-7eed-8c75-a949a9dfe2ed", "token": "eyJ1.eyJ2.x", "etag": "ff"}"#;
    assert_eq!(documents(one), documents(other));
    for changed in [
        one.replace("etag", "tag"),
        one.replace("eyJ0.", ""),
        one.replace("01a1fbc4-", ""),
        one.replace("2026-11-21T", ""),
        format!("{one}{{}}"),
    ] {
        assert_ne!(documents(&changed), documents(other), "{changed}");
    }
    let one = "{\n   \"code\":  \"not_found\",\n \"etag\": \"1\" }\nexit code 40\n";
    assert_eq!(text(one), text("{\n\"code\": \"not_found\",\n\"etag\": \"2\"\nexit code 40"));
    assert_ne!(text(one), text(&one.replace("40", "41")));
}
