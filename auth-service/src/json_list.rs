//! The elements of a JSON list, as an export writes them piece by piece.

use serde::Serialize;

/// Objects of JSON with commas between them.
pub fn objects(values: impl IntoIterator<Item = impl Serialize>) -> Vec<u8> {
    let mut text = Vec::new();
    for value in values {
        if !text.is_empty() {
            text.push(b',');
        }
        // What has text as the names of its members always serialises.
        let _ = serde_json::to_writer(&mut text, &value);
    }
    text
}
