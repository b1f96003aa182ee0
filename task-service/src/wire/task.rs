//! Tasks on the wire.

use proto::task::v1 as pb;

use super::moment::timestamp;
use crate::{due::Due, etag::Etag, task::Task};

impl From<Task> for pb::Task {
    fn from(task: Task) -> Self {
        let (due_date, due_at, due_zone) = match &task.due {
            None => (None, None, None),
            Some(Due::Date(date)) => (Some(date.to_string()), None, None),
            Some(Due::At { moment, zone }) => {
                (None, Some(timestamp(*moment)), Some(zone.as_str().to_owned()))
            }
        };
        Self {
            id: task.id.to_string(),
            completed: task.completed(),
            user_id: task.user_id,
            title: task.title,
            description: task.description,
            completed_at: task.completed_at.map(timestamp),
            priority: pb::Priority::from(task.priority).into(),
            created_at: Some(timestamp(task.created_at)),
            updated_at: Some(timestamp(task.updated_at)),
            etag: Etag::of(task.revision).into_string(),
            tags: task.tags.into_vec(),
            due_date,
            due_at,
            due_zone,
            reminders: task.reminders.as_slice().iter().map(pb::Reminder::from).collect(),
            recurrence: task.repeat.as_ref().map(Into::into),
            series_id: task.series.map(|series| series.id.to_string()),
            occurrence: task.series.map(|series| series.occurrence),
            position: task.position.to_string(),
            deleted_at: task.deleted_at.map(timestamp),
        }
    }
}

/// The answers that are one task.
macro_rules! say_the_task {
    ($($answer:ident),* $(,)?) => {$(
        impl From<Task> for pb::$answer {
            fn from(task: Task) -> Self {
                Self { task: Some(task.into()) }
            }
        }
    )*};
}

say_the_task!(
    CreateTaskResponse,
    GetTaskResponse,
    UpdateTaskResponse,
    CompleteTaskResponse,
    ReopenTaskResponse,
    ToggleTaskResponse,
    MoveTaskResponse,
    SkipTaskResponse,
    UndeleteTaskResponse,
);

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::{
        moment::Moment,
        task::{Priority, Tags, sample},
        zone::Zone,
    };

    #[test]
    fn a_task_is_said_as_the_contract_spells_it() {
        let zone = Zone::parse("Europe/Berlin").expect("a zone");
        let task = Task {
            id: Uuid::from_u128(0x018b_cfe5_687b_7aaa_8bbb_0123_4567_89ab),
            completed_at: Some(Moment::from_micros(2_000_001)),
            priority: Priority::Urgent,
            tags: Tags::parse(vec!["Home".into()]).expect("tags"),
            due: Some(Due::At { moment: Moment::from_micros(3_000_000), zone }),
            ..Task::new("alice", sample("a"), Moment::from_micros(1_000_000), 42, 0)
        };
        let said = pb::Task::from(task);
        assert_eq!(said.id, "018bcfe5-687b-7aaa-8bbb-0123456789ab");
        assert_eq!((said.user_id.as_str(), said.completed), ("alice", true));
        assert_eq!(said.priority(), pb::Priority::Urgent);
        assert_eq!(said.completed_at, Some(Timestamp { seconds: 2, nanos: 1_000 }));
        assert_eq!(said.created_at, Some(Timestamp { seconds: 1, nanos: 0 }));
        assert_eq!((said.etag.as_str(), said.tags.as_slice()), ("2a", &["Home".to_owned()][..]));
        assert_eq!(said.due_at, Some(Timestamp { seconds: 3, nanos: 0 }));
        assert_eq!((said.due_date, said.due_zone.as_deref()), (None, Some("Europe/Berlin")));
    }
}
