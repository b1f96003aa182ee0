//! The optional fields of a task, as one column of JSON, which most tasks do not have.

use std::ops::Not;

use serde::{Deserialize, Serialize};

use crate::domain::{recurrence::Recurrence, task::Reminders, zone::Zone};

/// The column. The serialised form is stored, so its names must not change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "is_none")]
    pub reminders: Reminders,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<StoredRepeat>,
    /// Whether the next task of the series was created.
    #[serde(skip_serializing_if = "<&bool>::not")]
    pub continued: bool,
}

/// The recurrence of a task. The serialised form is stored, so its names must not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRepeat {
    /// The rule and its anchor.
    #[serde(flatten)]
    pub recurrence: Recurrence,
    /// The zone of the day of completion, for a task with a date.
    pub zone: Zone,
}

fn is_none(reminders: &Reminders) -> bool {
    reminders.as_slice().is_empty()
}

impl Details {
    /// The column of a stored task.
    pub fn read(column: Option<&str>) -> Result<Self, serde_json::Error> {
        column.map_or_else(|| Ok(Self::default()), serde_json::from_str)
    }

    /// The column to store; none if all fields are at their defaults.
    pub fn write(&self) -> Option<String> {
        // Always serialises: no maps, no foreign types.
        (*self != Self::default()).then(|| serde_json::to_string(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        due::Due,
        recurrence::{RepeatFrom, Rule},
        task::Reminder,
        timestamp::Timestamp,
        zone::Zone,
    };

    #[test]
    fn a_plain_task_has_none() {
        assert_eq!(Details::default().write(), None);
        assert_eq!(Details::read(None).expect("none"), Details::default());
    }

    #[test]
    fn stored_details_outlive_their_process_so_their_spelling_is_fixed() {
        let due = Due::parse_date("2026-11-25").map(Due::Date).expect("a date");
        let recurrence = Recurrence {
            rule: Rule::parse("FREQ=WEEKLY;BYDAY=MO").expect("a rule"),
            from: RepeatFrom::Completion,
            anchor: due.local(),
        };
        let zone = Zone::parse("Europe/Berlin").expect("a zone");
        let reminders = vec![Reminder::Before(10), Reminder::At(Timestamp::from_micros(5))];
        let details = Details {
            tags: vec!["Home".into()],
            reminders: Reminders::new(reminders).expect("two"),
            repeat: Some(StoredRepeat { recurrence, zone }),
            continued: true,
        };
        let text = details.write().expect("a column");
        assert_eq!(
            text,
            r#"{"tags":["Home"],"reminders":[{"before":10},{"at":5}],"repeat":{"rule":"FREQ=WEEKLY;BYDAY=MO","from":"completion","anchor":"2026-11-25T00:00:00","zone":"Europe/Berlin"},"continued":true}"#
        );
        assert_eq!(Details::read(Some(&text)).expect("read"), details);
    }
}
