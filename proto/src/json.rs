//! The JSON form of fields that serde does not write by itself.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike};
use prost_types::Timestamp;
use serde::{Serializer, ser::Error};

/// A timestamp in RFC 3339, in UTC, with microseconds and `Z`; `null` where there is none.
///
/// Fixed in width, so that texts sort as timestamps do. Written digit by digit: a page of twenty
/// tasks has sixty of them, and formatting takes several times as long.
#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
pub fn timestamp<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    let Some(Timestamp { seconds, nanos }) = at else { return to.serialize_none() };
    let nanos = u32::try_from(*nanos).unwrap_or_default();
    let at = DateTime::from_timestamp(*seconds, nanos).unwrap_or_default();
    // RFC 3339 and the contracts end with it.
    let Some(year) = u32::try_from(at.year()).ok().filter(|year| *year <= 9999) else {
        return to.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true));
    };
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    for (end, digits, number) in [
        (4, 4, year),
        (7, 2, at.month()),
        (10, 2, at.day()),
        (13, 2, at.hour()),
        (16, 2, at.minute()),
        (19, 2, at.second()),
        (26, 6, nanos / 1_000),
    ] {
        write_digits(&mut text[end - digits..end], number);
    }
    to.serialize_str(std::str::from_utf8(&text).map_err(S::Error::custom)?)
}

/// Writes the last digits of `number`, as many as there is room for.
fn write_digits(room: &mut [u8], mut number: u32) {
    for digit in room.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
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
    use serde_json::{json, value::Serializer as Value};

    use crate::task::v1::{Priority, Task};

    use super::*;

    /// All years from 0 to 9999, and some beyond, in steps of 31 days and some hours.
    #[test]
    fn a_timestamp_is_spelt_as_chrono_spells_it() {
        const DAY: i64 = 24 * 60 * 60;
        let (first, last) = (-62_167_219_200, 253_402_300_799);
        let check = |seconds: i64, nanos: u32| {
            let at = DateTime::from_timestamp(seconds, nanos).expect("a timestamp");
            let expected = at.to_rfc3339_opts(SecondsFormat::Micros, true);
            let message = Timestamp { seconds, nanos: nanos.cast_signed() };
            assert_eq!(timestamp(&Some(message), Value).expect("JSON"), expected);
        };
        let days = (first - 400 * DAY..last + 400 * DAY).step_by(31 * 86_400);
        for (n, midnight) in (0_u32..).zip(days) {
            let nanos = u64::from(n) * 7_919_337 % 1_000_000_000;
            check(midnight + i64::from(n) * 11_003 % DAY, u32::try_from(nanos).expect("small"));
        }
        for (seconds, nanos) in [(first, 0), (last, 999_999_999), (-1, 999), (0, 0)] {
            check(seconds, nanos);
        }
        assert_eq!(timestamp(&None, Value).expect("JSON"), serde_json::Value::Null);
    }

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
