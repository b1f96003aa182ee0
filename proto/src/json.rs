//! The JSON form of fields that serde does not write by itself.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Timelike};
use prost_types::Timestamp;
use serde::Serializer;

/// A timestamp in RFC 3339, in UTC, with microseconds and `Z`; `null` where there is none.
///
/// Fixed in width, so that texts sort as timestamps do. Written out by hand: a page of twenty
/// tasks has sixty of them, and the formatter of chrono takes four times as long.
#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
pub fn timestamp<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    let Some(Timestamp { seconds, nanos }) = at else { return to.serialize_none() };
    let nanos = u32::try_from(*nanos).unwrap_or_default();
    let at = DateTime::from_timestamp(*seconds, nanos).unwrap_or_default();
    let mut text = String::with_capacity(27);
    let (year, month, day) = (at.year(), at.month(), at.day());
    let (hour, minute, second, micros) = (at.hour(), at.minute(), at.second(), nanos / 1_000);
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z"
    );
    to.serialize_str(&text)
}

/// An enum of the contracts with names in JSON.
pub trait Named {
    const NAMES: Names;
}

/// The names of an enum's values in JSON.
pub struct Names {
    /// Each name and its number; the unspecified value has none.
    pub values: &'static [(&'static str, i32)],
    /// The rule that another name breaks.
    pub rule: &'static str,
}

impl Names {
    /// The number of the value with this name.
    pub fn number(&self, name: &str) -> Option<i32> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }
}

/// The name of an enum's value; `null` where it is unspecified.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
pub fn enum_name<E: Named, S: Serializer>(number: &i32, to: S) -> Result<S::Ok, S::Error> {
    match E::NAMES.values.iter().find(|(_, known)| known == number) {
        Some((name, _)) => to.serialize_str(name),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::task::v1::{Priority, Task};

    use super::*;

    #[test]
    fn a_task_is_flat_with_readable_timestamps_and_priorities() {
        let task = Task {
            id: "i".into(),
            user_id: "u".into(),
            title: "t".into(),
            priority: Priority::High.into(),
            created_at: Some(Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 }),
            updated_at: Some(Timestamp { seconds: 0, nanos: 0 }),
            etag: "2a".into(),
            ..Task::default()
        };
        assert_eq!(
            serde_json::to_value(task).expect("JSON"),
            json!({
                "id": "i", "user_id": "u", "title": "t", "description": "", "completed": false,
                "completed_at": null, "priority": "high", "etag": "2a",
                "created_at": "2023-11-14T22:13:20.123456Z",
                "updated_at": "1970-01-01T00:00:00.000000Z", "tags": [], "due_date": null,
                "due_at": null, "due_zone": null, "reminders": [], "recurrence": null,
                "series_id": null, "occurrence": null, "position": "",
            })
        );
    }
}
