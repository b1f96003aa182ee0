//! Elements of a JSON list, as exports write them.

use serde::Serialize;

/// JSON objects, separated by commas.
pub fn objects(values: impl IntoIterator<Item = impl Serialize>) -> Vec<u8> {
    let mut text = Vec::new();
    for value in values {
        if !text.is_empty() {
            text.push(b',');
        }
        // Objects with text as member names always serialize.
        let _ = serde_json::to_writer(&mut text, &value);
    }
    text
}
