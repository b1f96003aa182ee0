//! Tasks on the wire.

use proto::task::v1 as pb;

use crate::domain::task::Task;

/// The responses with a single task.
macro_rules! single_task_responses {
    ($($response:ident),* $(,)?) => {$(
        impl From<Task> for pb::$response {
            fn from(task: Task) -> Self {
                Self { task: Some(task.into()) }
            }
        }
    )*};
}

single_task_responses!(
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
    use prost_types::Timestamp as WireTimestamp;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        due::Due,
        task::{Content, Priority, Tags, sample},
        timestamp::Timestamp,
        zone::Zone,
    };

    #[test]
    fn a_task_is_encoded_as_in_the_contract() {
        let zone = Zone::parse("Europe/Berlin").expect("a zone");
        let content = Content {
            priority: Priority::Urgent,
            tags: Tags::parse(vec!["Home".into()]).expect("tags"),
            due: Some(Due::At { moment: Timestamp::from_micros(3_000_000), zone }),
            ..sample("a")
        };
        let task = Task {
            id: Uuid::from_u128(0x018b_cfe5_687b_7aaa_8bbb_0123_4567_89ab),
            completed_at: Some(Timestamp::from_micros(2_000_001)),
            ..Task::new("alice", content, Timestamp::from_micros(1_000_000), 42, 0)
        };
        let message = pb::Task::from(task);
        assert_eq!(message.id, "018bcfe5-687b-7aaa-8bbb-0123456789ab");
        assert_eq!((message.user_id.as_str(), message.completed), ("alice", true));
        assert_eq!(message.priority(), pb::Priority::Urgent);
        assert_eq!(message.completed_at, Some(WireTimestamp { seconds: 2, nanos: 1_000 }));
        assert_eq!(message.created_at, Some(WireTimestamp { seconds: 1, nanos: 0 }));
        assert_eq!(
            (message.etag.as_str(), message.tags.as_slice()),
            ("2a", &["Home".to_owned()][..])
        );
        assert_eq!(message.due_at, Some(WireTimestamp { seconds: 3, nanos: 0 }));
        assert_eq!((message.due_date, message.due_zone.as_deref()), (None, Some("Europe/Berlin")));
    }
}
