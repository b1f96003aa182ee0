//! The JSON form of fields of the contracts, where it is not the default.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Timelike};
use prost_types::Timestamp;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

use super::task::v1::{Priority, TaskSort};

/// A timestamp in RFC 3339, in UTC, with microseconds and `Z`; `null` where there is none.
///
/// Fixed in width, so that texts sort by time. Written out by hand: a page of twenty tasks has
/// sixty of them, and the formatter of chrono takes four times as long.
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
    priority_number(&name).map(Some)
}

/// The numbers of priorities.
pub fn priorities<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<i32>, D::Error> {
    Vec::<String>::deserialize(from)?.iter().map(|name| priority_number(name)).collect()
}

fn priority_number<E: Error>(name: &str) -> Result<i32, E> {
    let known = PRIORITIES.iter().find(|(known, _)| *known == name);
    let (_, priority) =
        known.ok_or_else(|| E::custom("must be `low`, `medium`, `high` or `urgent`"))?;
    Ok((*priority).into())
}

/// The sort orders as JSON spells them.
const SORTS: [(&str, TaskSort); 6] = [
    ("created", TaskSort::Created),
    ("updated", TaskSort::Updated),
    ("due", TaskSort::Due),
    ("priority", TaskSort::Priority),
    ("title", TaskSort::Title),
    ("position", TaskSort::Position),
];

/// The number of a sort order; 0, unspecified, for `null`.
pub fn task_sort<'de, D: Deserializer<'de>>(from: D) -> Result<i32, D::Error> {
    const RULE: &str = "must be `created`, `updated`, `due`, `priority`, `title` or `position`";
    let Some(name) = Option::<String>::deserialize(from)? else { return Ok(0) };
    let known = SORTS.iter().find(|(known, _)| *known == name);
    known.map(|(_, sort)| (*sort).into()).ok_or_else(|| D::Error::custom(RULE))
}

/// A value; `null` counts as not set, which is the default.
pub fn or_default<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// A timestamp as RFC 3339 spells it, in any offset, or none for `null`. What is finer than a
/// microsecond is cut off.
pub fn parse_timestamp<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let at = DateTime::parse_from_rfc3339(&text)
        .map_err(|_| D::Error::custom("must be a moment such as `2026-11-25T09:00:00Z`"))?;
    let nanos = at.timestamp_subsec_nanos().min(999_999_999) / 1_000 * 1_000;
    Ok(Some(Timestamp { seconds: at.timestamp(), nanos: nanos.cast_signed() }))
}

/// A whole number however JSON spells it (`5.0` is one), or none for `null`.
pub fn whole_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i32>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(from)? else { return Ok(None) };
    let whole = number.as_f64().filter(|number| number.fract() == 0.0);
    #[expect(clippy::cast_possible_truncation, reason = "what is larger is cut and refused")]
    let whole = whole
        .map(|number| number as i32)
        .filter(|whole| Some(f64::from(*whole)) == number.as_f64());
    whole.map(Some).ok_or_else(|| D::Error::custom("must be a whole number, and not so large"))
}

/// The base of the next occurrence, by name.
pub mod repeat_from {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use crate::task::v1::RepeatFrom;

    const NAMES: [(&str, RepeatFrom); 2] =
        [("due", RepeatFrom::Due), ("completion", RepeatFrom::Completion)];

    /// Writes the name.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub fn serialize<S: Serializer>(number: &i32, to: S) -> Result<S::Ok, S::Error> {
        match NAMES.iter().find(|(_, from)| i32::from(*from) == *number) {
            Some((name, _)) => to.serialize_str(name),
            None => to.serialize_none(),
        }
    }

    /// Reads the number; 0, unspecified, for `null`.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i32, D::Error> {
        let Some(name) = Option::<String>::deserialize(from)? else { return Ok(0) };
        let known = NAMES.iter().find(|(known, _)| *known == name);
        let (_, from) = known.ok_or_else(|| D::Error::custom("must be `due` or `completion`"))?;
        Ok((*from).into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::task::v1::{
        CountTasksRequest, CreateTaskRequest, ListTasksRequest, Task, UpdateTaskRequest,
    };

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

    #[test]
    fn a_task_is_read_as_it_was_written_and_with_less() {
        let timestamp = Some(Timestamp { seconds: 1_700_000_000, nanos: 123_456_000 });
        let task = Task {
            title: "t".into(),
            priority: Priority::High.into(),
            completed_at: timestamp,
            due_at: timestamp,
            due_zone: Some("UTC".into()),
            series_id: Some("s".into()),
            occurrence: Some(2),
            ..Task::default()
        };
        let text = serde_json::to_string(&task).expect("JSON");
        assert_eq!(serde_json::from_str::<Task>(&text).expect("a task"), task);
        let less = json!({"title": "t", "dueAt": "2023-11-14T23:13:20.123456+01:00"});
        let read: Task = serde_json::from_value(less).expect("a task");
        assert_eq!((read.due_at, read.priority), (timestamp, 0));
        assert!(serde_json::from_value::<Task>(json!({"title": "t", "colour": 1})).is_err());
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
    fn what_to_list_is_named_in_either_spelling() {
        let list: ListTasksRequest = serde_json::from_value(json!({
            "sort": "due", "priorities": ["high", "low"], "tagsAny": ["a"], "dueFrom": "x",
            "has_due": true, "timeZone": "UTC", "descending": false, "text": "t",
        }))
        .expect("a message");
        assert_eq!((list.sort(), &list.priorities[..]), (TaskSort::Due, &[3, 1][..]));
        assert_eq!(
            (&list.tags_any[..], list.due_from.as_deref()),
            (&["a".to_owned()][..], Some("x"))
        );
        assert_eq!((list.has_due, list.descending), (Some(true), Some(false)));
        for (name, sort) in SORTS {
            let list: ListTasksRequest =
                serde_json::from_value(json!({"sort": name})).expect("a message");
            assert_eq!(list.sort(), sort);
        }
        let count = json!({"tagsNone": ["a"], "dueUntil": "x", "overdue": false});
        assert!(serde_json::from_value::<CountTasksRequest>(count).is_ok());
    }

    #[test]
    fn fields_of_the_path_and_headers_are_no_members() {
        for name in ["user_id", "id", "request_id", "etag", "update_mask", "created_at"] {
            let body = json!({"title": "t", name: "x"});
            assert!(serde_json::from_value::<CreateTaskRequest>(body.clone()).is_err(), "{name}");
            assert!(serde_json::from_value::<UpdateTaskRequest>(body).is_err(), "{name}");
        }
        for sort in ["Due", "TASK_SORT_DUE", "unspecified", "2", ""] {
            let query = json!({"sort": sort});
            assert!(serde_json::from_value::<ListTasksRequest>(query).is_err(), "{sort}");
        }
        for name in ["Low", "PRIORITY_LOW", "1", ""] {
            let body = json!({"title": "t", "priority": name});
            assert!(serde_json::from_value::<CreateTaskRequest>(body).is_err(), "{name}");
        }
    }
}
