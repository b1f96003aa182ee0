//! The JSON form of fields that serde does not write or read by itself.

use std::fmt::Write;

use chrono::{DateTime, Datelike, Timelike};
use prost_types::Timestamp;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

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

/// An enum of the contracts, by the names of its values in JSON.
pub trait Named {
    /// Each name and its number; the unspecified value has none.
    const NAMES: &'static [(&'static str, i32)];
    /// The rule that another name breaks.
    const RULE: &'static str;
}

/// The name of an enum's value; `null` where it is unspecified.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
pub fn enum_name<E: Named, S: Serializer>(number: &i32, to: S) -> Result<S::Ok, S::Error> {
    match E::NAMES.iter().find(|(_, known)| known == number) {
        Some((name, _)) => to.serialize_str(name),
        None => to.serialize_none(),
    }
}

/// The number of an enum's value by its name; 0, unspecified, for `null`.
pub fn enum_number<'de, E: Named, D: Deserializer<'de>>(from: D) -> Result<i32, D::Error> {
    optional_enum_number::<E, D>(from).map(Option::unwrap_or_default)
}

/// The number of an enum's value by its name, or none for `null`.
pub fn optional_enum_number<'de, E: Named, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<i32>, D::Error> {
    let Some(name) = Option::<String>::deserialize(from)? else { return Ok(None) };
    number::<E, _>(&name).map(Some)
}

/// The numbers of an enum's values by their names.
pub fn enum_numbers<'de, E: Named, D: Deserializer<'de>>(from: D) -> Result<Vec<i32>, D::Error> {
    Vec::<String>::deserialize(from)?.iter().map(|name| number::<E, _>(name)).collect()
}

fn number<E: Named, F: Error>(name: &str) -> Result<i32, F> {
    let known = E::NAMES.iter().find(|(known, _)| *known == name);
    known.map(|(_, number)| *number).ok_or_else(|| F::custom(E::RULE))
}

/// A value; `null` counts as not set, which is the default.
pub fn or_default<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// A timestamp in RFC 3339 with any offset, or none for `null`, cut to microseconds.
pub fn from_timestamp<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::task::v1::{
        CountTasksRequest, CreateTaskRequest, ListTasksRequest, Priority, Task, TaskSort,
        UpdateTaskRequest,
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
        let moment = Some(Timestamp { seconds: 1_700_000_000, nanos: 123_456_000 });
        let task = Task {
            title: "t".into(),
            priority: Priority::High.into(),
            completed_at: moment,
            due_at: moment,
            due_zone: Some("UTC".into()),
            series_id: Some("s".into()),
            occurrence: Some(2),
            ..Task::default()
        };
        let text = serde_json::to_string(&task).expect("JSON");
        assert_eq!(serde_json::from_str::<Task>(&text).expect("a task"), task);
        let less = json!({"title": "t", "dueAt": "2023-11-14T23:13:20.123456+01:00"});
        let read: Task = serde_json::from_value(less).expect("a task");
        assert_eq!((read.due_at, read.priority), (moment, 0));
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
        for (name, sort) in [
            ("created", TaskSort::Created),
            ("updated", TaskSort::Updated),
            ("due", TaskSort::Due),
            ("priority", TaskSort::Priority),
            ("title", TaskSort::Title),
            ("position", TaskSort::Position),
        ] {
            let list: ListTasksRequest =
                serde_json::from_value(json!({"sort": name})).expect("a message");
            assert_eq!(list.sort(), sort);
        }
        assert_eq!(Priority::RULE, "must be `low`, `medium`, `high` or `urgent`");
        let count = json!({"tagsNone": ["a"], "dueUntil": "x", "overdue": false});
        assert!(serde_json::from_value::<CountTasksRequest>(count).is_ok());
    }

    #[test]
    fn what_the_path_and_headers_say_is_no_member() {
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
