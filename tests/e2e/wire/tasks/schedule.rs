//! Moments, reminders and rules in JSON, both ways.

use chrono::{DateTime, SecondsFormat};
use prost_types::Timestamp;
use proto::task::v1::{Recurrence, Reminder, RepeatFrom};
use serde_json::{Map, Value, json};

use crate::wire::timestamp::{Digits, timestamp};

/// What a rule counts from, by its name.
const FROM: [(&str, RepeatFrom); 2] =
    [("due", RepeatFrom::Due), ("completion", RepeatFrom::Completion)];

/// A timestamp as a caller writes it, in RFC 3339.
pub fn write_moment(at: Timestamp) -> Value {
    let nanos = u32::try_from(at.nanos).expect("RFC 3339 has words for it");
    let at = DateTime::from_timestamp(at.seconds, nanos).expect("RFC 3339 has words for it");
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true).into()
}

/// A reminder with the members that are set.
pub fn write_reminder(reminder: &Reminder) -> Value {
    let at = reminder.at.map(|at| ("at".to_owned(), write_moment(at)));
    let minutes = reminder.minutes_before.map(|it| ("minutes_before".to_owned(), it.into()));
    Value::Object(at.into_iter().chain(minutes).collect())
}

/// A rule with the members that are set.
pub fn write_recurrence(recurrence: &Recurrence) -> Value {
    let mut rule = Map::from_iter([("rule".to_owned(), json!(recurrence.rule))]);
    if recurrence.from != 0 {
        let known = FROM.iter().find(|(_, from)| i32::from(*from) == recurrence.from);
        let from = known.map_or(Value::from(recurrence.from), |(name, _)| Value::from(*name));
        rule.insert("from".into(), from);
    }
    if !recurrence.time_zone.is_empty() {
        rule.insert("time_zone".into(), json!(recurrence.time_zone));
    }
    if !recurrence.start.is_empty() {
        rule.insert("start".into(), json!(recurrence.start));
    }
    Value::Object(rule)
}

/// Reads a reminder, which has one member.
#[track_caller]
pub fn read_reminder(reminder: &Value) -> Reminder {
    assert_eq!(reminder.as_object().map(Map::len), Some(1), "{reminder}");
    let minutes = reminder.get("minutes_before").map(|minutes| {
        let minutes = minutes.as_i64().expect("a number");
        i32::try_from(minutes).expect("a number of minutes")
    });
    Reminder { at: timestamp(&reminder["at"], Digits::Micro), minutes_before: minutes }
}

/// Reads a rule, whose zone is there unless it is UTC; `null` is none.
#[track_caller]
pub fn read_recurrence(recurrence: &Value) -> Option<Recurrence> {
    let members = recurrence.as_object()?;
    let known = ["rule", "from", "time_zone", "start"];
    assert!(members.keys().all(|name| known.contains(&name.as_str())), "{recurrence}");
    let from = members["from"].as_str().expect("a name");
    let from = FROM.iter().find(|(name, _)| *name == from).expect("a known name").1;
    let zone = members.get("time_zone").map(|zone| zone.as_str().expect("a text").to_owned());
    assert!(zone.as_deref() != Some(""), "{recurrence}");
    Some(Recurrence {
        rule: members["rule"].as_str().expect("a text").to_owned(),
        from: from.into(),
        time_zone: zone.unwrap_or_default(),
        start: members["start"].as_str().expect("a text").to_owned(),
    })
}
