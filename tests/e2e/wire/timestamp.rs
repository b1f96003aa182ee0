//! Moments in JSON.

use chrono::DateTime;
use prost_types::Timestamp;
use serde_json::Value;

/// The digits after the second in a timestamp.
#[derive(Clone, Copy, Debug)]
pub enum Digits {
    Milli = 3,
    Micro = 6,
}

/// A timestamp in RFC 3339, in UTC with `Z` and exactly so many digits; `null` is none.
#[track_caller]
pub fn timestamp(value: &Value, digits: Digits) -> Option<Timestamp> {
    if value.is_null() {
        return None;
    }
    let text = value.as_str().expect("a timestamp is a text");
    assert_eq!(text.len(), "2026-11-21T04:21:45.Z".len() + digits as usize, "{text}");
    assert!(text.ends_with('Z'), "{text}");
    let at = DateTime::parse_from_rfc3339(text).expect("RFC 3339");
    let nanos = i32::try_from(at.timestamp_subsec_nanos()).expect("less than a second");
    Some(Timestamp { seconds: at.timestamp(), nanos })
}
