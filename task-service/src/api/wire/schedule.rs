//! Due, reminders and recurrence on the wire.

use chrono::{Datelike, NaiveDateTime};
use prost_types::Timestamp as WireTimestamp;
use proto::task::v1 as pb;
use shared::fields::Fields;

use super::timestamp::{parse_timestamp, timestamp};
use crate::domain::{
    due::Due,
    recurrence::{RepeatFrom, Rule},
    task::{Reminder, Reminders, Repeat},
    zone::Zone,
};

/// The format of local times.
const START: &str = "%Y-%m-%dT%H:%M:%S%.f";

/// The anchor of an imported rule.
pub fn start(text: &str) -> Result<NaiveDateTime, &'static str> {
    let start = NaiveDateTime::parse_from_str(text, START).ok();
    let start = start.filter(|start| (1970..=9999).contains(&start.year()));
    start.ok_or("must be a time such as `2026-11-25T09:00:00`, from 1970 to 9999")
}

/// The due of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParsedDue {
    /// No due, or an invalid one.
    Nothing,
    /// A whole due.
    Due(Due),
    /// An instant without a zone.
    Instant(crate::domain::timestamp::Timestamp),
}

/// The due from its three fields.
pub fn due(
    date: Option<&str>,
    at: Option<WireTimestamp>,
    zone: Option<&str>,
    fields: &mut Fields,
) -> ParsedDue {
    let date = date.map(|date| fields.take("due_date", Due::parse_date(date)));
    let at = at.map(|at| fields.take("due_at", parse_timestamp(at)));
    let zone = zone.map(|zone| fields.take("due_zone", Zone::parse(zone)));
    if date.is_some() && at.is_some() {
        fields.fault("due_at", "must not come with `due_date`");
    }
    if zone.is_some() && at.is_none() {
        fields.fault("due_zone", "must come with `due_at`");
    }
    match (date, at, zone) {
        (Some(Some(date)), None, _) => ParsedDue::Due(Due::Date(date)),
        (None, Some(Some(moment)), Some(Some(zone))) => ParsedDue::Due(Due::At { moment, zone }),
        (None, Some(Some(moment)), None) => ParsedDue::Instant(moment),
        _ => ParsedDue::Nothing,
    }
}

/// The reminders of a message.
pub fn reminders(messages: &[pb::Reminder], fields: &mut Fields) -> Option<Reminders> {
    let mut faults = Vec::new();
    let mut reminders = Vec::with_capacity(messages.len().min(16));
    for message in messages {
        match reminder(message) {
            Ok(reminder) => reminders.push(reminder),
            Err(rule) if !faults.contains(&rule) => faults.push(rule),
            Err(_) => {}
        }
    }
    let all = fields.take("reminders", Reminders::new(reminders));
    let sound = faults.is_empty();
    for rule in faults {
        fields.fault("reminders", rule);
    }
    all.filter(|_| sound)
}

fn reminder(message: &pb::Reminder) -> Result<Reminder, String> {
    match (message.at, message.minutes_before) {
        (Some(at), None) => parse_timestamp(at)
            .map(Reminder::At)
            .map_err(|rule| format!("have an `at` that {rule}")),
        (None, Some(minutes)) => Reminder::before(minutes).map_err(|rule| rule.to_string()),
        _ => Err("must each have one of `at` and `minutes_before`".to_owned()),
    }
}

/// The recurrence of a message.
pub fn recurrence(message: &pb::Recurrence, fields: &mut Fields) -> Option<Repeat> {
    let rule = fields.take("recurrence.rule", Rule::parse(&message.rule));
    let from = match pb::RepeatFrom::try_from(message.from) {
        Ok(pb::RepeatFrom::Unspecified | pb::RepeatFrom::Due) => Some(RepeatFrom::Due),
        Ok(pb::RepeatFrom::Completion) => Some(RepeatFrom::Completion),
        Err(_) => fields.take("recurrence.from", Err("must be due or completion")),
    };
    let zone = match message.time_zone.as_str() {
        "" => Some(Zone::UTC),
        name => fields.take("recurrence.time_zone", Zone::parse(name)),
    };
    Some(Repeat { rule: rule?, from: from?, zone: zone? })
}

impl From<&Reminder> for pb::Reminder {
    fn from(reminder: &Reminder) -> Self {
        match *reminder {
            Reminder::At(moment) => Self { at: Some(timestamp(moment)), minutes_before: None },
            Reminder::Before(minutes) => {
                Self { at: None, minutes_before: Some(minutes.cast_signed()) }
            }
        }
    }
}

/// The message of a recurrence with its anchor.
pub fn rule(repeat: &Repeat, anchor: Option<NaiveDateTime>) -> pb::Recurrence {
    let Repeat { rule, from, zone } = repeat;
    let from = match from {
        RepeatFrom::Due => pb::RepeatFrom::Due,
        RepeatFrom::Completion => pb::RepeatFrom::Completion,
    };
    pb::Recurrence {
        rule: rule.as_str().to_owned(),
        from: from.into(),
        time_zone: if *zone == Zone::UTC { String::new() } else { zone.as_str().to_owned() },
        start: anchor.map_or_else(String::new, |anchor| anchor.format(START).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faulty(read: impl FnOnce(&mut Fields)) -> Vec<String> {
        let mut fields = Fields::default();
        read(&mut fields);
        let faults = fields.finish(Some(())).err().map(|faults| faults.0).unwrap_or_default();
        faults.iter().map(|fault| fault.field.to_string()).collect()
    }

    fn at(seconds: i64) -> WireTimestamp {
        WireTimestamp { seconds, nanos: 0 }
    }

    #[test]
    fn a_due_is_a_date_or_an_instant() {
        let read = |date, at, zone| due(date, at, zone, &mut Fields::default());
        assert_eq!(read(None, None, None), ParsedDue::Nothing);
        let day = Due::parse_date("2026-11-25").map(Due::Date).expect("a date");
        assert_eq!(read(Some("2026-11-25"), None, None), ParsedDue::Due(day));
        let moment = crate::domain::timestamp::Timestamp::from_micros(1_000_000);
        assert_eq!(read(None, Some(at(1)), None), ParsedDue::Instant(moment));
        let zone = Zone::parse("Europe/Berlin").expect("a zone");
        let instant = Due::At { moment, zone };
        assert_eq!(read(None, Some(at(1)), Some("Europe/Berlin")), ParsedDue::Due(instant));
        for (date, at, zone, fields) in [
            (Some("2026-11-25"), Some(at(1)), None, &["due_at"][..]),
            (None, None, Some("UTC"), &["due_zone"]),
            (Some("25.11.2026"), None, None, &["due_date"]),
            (Some(""), Some(at(-1)), Some("Berlin"), &["due_date", "due_at", "due_zone", "due_at"]),
        ] {
            assert_eq!(
                faulty(|f| {
                    _ = due(date, at, zone, f);
                }),
                fields,
                "{date:?} {at:?}"
            );
        }
    }

    #[test]
    fn a_reminder_is_a_moment_or_minutes() {
        let both = pb::Reminder { at: Some(at(1)), minutes_before: Some(1) };
        let (neither, late) = (pb::Reminder::default(), pb::Reminder { at: Some(at(-1)), ..both });
        let negative = pb::Reminder { at: None, minutes_before: Some(-1) };
        let late = pb::Reminder { minutes_before: None, ..late };
        let all = [both, neither, late, negative];
        assert_eq!(
            faulty(|f| {
                _ = reminders(&all, f);
            }),
            ["reminders"; 3]
        );
        let sound = [pb::Reminder { at: Some(at(1)), minutes_before: None }];
        let read = reminders(&sound, &mut Fields::default()).expect("one");
        assert_eq!(read.as_slice().iter().map(pb::Reminder::from).collect::<Vec<_>>(), sound);
    }

    #[test]
    fn a_rule_names_every_fault() {
        let message = pb::Recurrence {
            rule: "daily".into(),
            from: 9,
            time_zone: "x".into(),
            ..Default::default()
        };
        assert_eq!(
            faulty(|f| {
                _ = recurrence(&message, f);
            }),
            ["recurrence.rule", "recurrence.from", "recurrence.time_zone"]
        );
    }
}
