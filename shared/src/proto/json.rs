//! How fields of the contracts are spelled in JSON, where that is not plain.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Timelike};
use prost_types::Timestamp;
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

use super::task::v1::Priority;

/// A moment in RFC 3339, in UTC, with microseconds and `Z`; `null` where there is none.
///
/// Fixed in width, so that texts sort as moments do. Written out by hand: a page of twenty
/// tasks has sixty of them, and the formatter of chrono takes four times as long.
#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
pub fn moment<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
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

/// The priorities as JSON spells them.
const PRIORITIES: [(&str, Priority); 4] = [
    ("low", Priority::Low),
    ("medium", Priority::Medium),
    ("high", Priority::High),
    ("urgent", Priority::Urgent),
];

/// A priority by its name.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
pub fn priority_name<S: Serializer>(number: &i32, to: S) -> Result<S::Ok, S::Error> {
    match PRIORITIES.iter().find(|(_, priority)| i32::from(*priority) == *number) {
        Some((name, _)) => to.serialize_str(name),
        None => to.serialize_none(),
    }
}

/// The number of a priority; 0, unspecified, for `null`.
pub fn priority<'de, D: Deserializer<'de>>(from: D) -> Result<i32, D::Error> {
    optional_priority(from).map(Option::unwrap_or_default)
}

/// The number of a priority, or none for `null`.
pub fn optional_priority<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i32>, D::Error> {
    let Some(name) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let known = PRIORITIES.iter().find(|(known, _)| *known == name);
    let (_, priority) =
        known.ok_or_else(|| D::Error::custom("must be `low`, `medium`, `high` or `urgent`"))?;
    Ok(Some((*priority).into()))
}

/// A text; `null` counts as not set, which is empty.
pub fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(from).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::proto::task::v1::{CreateTaskRequest, Task, UpdateTaskRequest};

    use super::*;

    #[test]
    fn a_task_is_flat_with_readable_moments_and_priorities() {
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
                "updated_at": "1970-01-01T00:00:00.000000Z",
            })
        );
    }

    #[test]
    fn null_is_the_default_and_absent_is_absent() {
        let create: CreateTaskRequest =
            serde_json::from_value(json!({"title": "t", "description": null, "priority": null}))
                .expect("a message");
        assert_eq!((create.description.as_str(), create.priority), ("", 0));
        let update: UpdateTaskRequest =
            serde_json::from_value(json!({"priority": "low"})).expect("a message");
        assert_eq!((update.priority, update.title), (Some(1), None));
    }

    #[test]
    fn what_the_path_and_headers_say_is_no_member() {
        for name in ["user_id", "id", "request_id", "etag", "update_mask", "created_at"] {
            let body = json!({"title": "t", name: "x"});
            assert!(serde_json::from_value::<CreateTaskRequest>(body.clone()).is_err(), "{name}");
            assert!(serde_json::from_value::<UpdateTaskRequest>(body).is_err(), "{name}");
        }
        for name in ["Low", "PRIORITY_LOW", "1", ""] {
            let body = json!({"title": "t", "priority": name});
            assert!(serde_json::from_value::<CreateTaskRequest>(body).is_err(), "{name}");
        }
    }
}
