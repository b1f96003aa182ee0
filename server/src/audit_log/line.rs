//! The log line of a security event.

use std::fmt;

use super::Record;

/// Logs `record`: target `audit`, level INFO, the same fields for every kind.
pub fn log_event(record: &Record) {
    let event = &record.event;
    let shown = |text: &'_ Option<String>| text.as_deref().map(|text| Shown(text).to_string());
    tracing::info!(
        target: "audit",
        event = event.kind.as_str(),
        user.id = shown(&event.user_id),
        session.id = shown(&event.session_id),
        client.address = record.address.map(|address| address.to_string()),
        request.id = shown(&record.request_id),
        detail = shown(&event.detail),
        "security event"
    );
}

/// A client's text, as the log may hold it: on one line, and an e-mail address (an issuer may
/// name its users so) shortened.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0.split_once('@') {
            Some((local, _)) => local.get(..1).unwrap_or_default(),
            None => self.0,
        };
        for c in text.chars() {
            if c.is_control() { write!(f, "{}", c.escape_unicode())? } else { write!(f, "{c}")? }
        }
        if text.len() < self.0.len() { f.write_str("…@…") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_a_client_stays_on_its_line_and_is_no_address() {
        for (text, shown) in [
            ("XbhF21DUghhmIShc", "XbhF21DUghhmIShc"),
            ("a\nb\u{1b}[31m", "a\\u{a}b\\u{1b}[31m"),
            ("ada@example.com", "a…@…"),
            ("@", "…@…"),
            ("éa@b", "…@…"),
            ("ада", "ада"),
        ] {
            assert_eq!(Shown(text).to_string(), shown, "{text:?}");
        }
    }
}
