//! The byte order mark, which some editors and languages write before a text.

/// U+FEFF in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A JSON text without a leading byte order mark (RFC 8259 section 8.1). Elsewhere the mark is a
/// character like any other.
#[must_use]
pub fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(MARK).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mark_at_the_beginning_is_no_character() {
        for (text, rest) in [
            ("{}", "{}"),
            ("\u{feff}{}", "{}"),
            ("\u{feff}", ""),
            ("\u{feff}\u{feff}{}", "\u{feff}{}"),
            (" \u{feff}{}", " \u{feff}{}"),
            ("\u{fffe}", "\u{fffe}"),
        ] {
            assert_eq!(without_byte_order_mark(text.as_bytes()), rest.as_bytes(), "{text:?}");
        }
        assert_eq!(without_byte_order_mark(b"\xef\xbb"), b"\xef\xbb");
    }
}
