//! Between the messages of the contract and the domain, and nothing else.

mod patch;
mod priority;

use prost_types::Timestamp;
use shared::{fields::Fields, proto::task::v1 as pb};
use uuid::Uuid;

use self::priority::priority;
use crate::{
    error::Error,
    etag::Etag,
    moment::Moment,
    page::{self, Page, PageRequest, Place},
    request_id::RequestId,
    task::{Description, NewTask, Priority, Task, TaskPatch, Title},
};

/// The task an id names. A text that is not spelled like an id names the nil id, which no
/// task has: it goes the way of every unknown id and gets the same answer.
pub fn task_id(text: &str) -> Uuid {
    let mut spelling = Uuid::encode_buffer();
    let id = Uuid::try_parse(text).ok();
    id.filter(|id| id.as_hyphenated().encode_lower(&mut spelling) == text).unwrap_or_default()
}

/// The new task `message` describes.
pub fn new_task(message: pb::CreateTaskRequest) -> Result<NewTask, Error> {
    let mut fields = Fields::default();
    let title = fields.take("title", Title::parse(&message.title));
    let description = fields.take("description", Description::parse(message.description));
    let priority = match message.priority {
        0 => Some(Priority::default()),
        number => fields.take("priority", priority(number)),
    };
    let request_id = match message.request_id {
        none if none.is_empty() => None,
        text => fields.take("request_id", RequestId::parse(text)),
    };
    let new = || {
        Some(NewTask { title: title?, description: description?, priority: priority?, request_id })
    };
    let new = new();
    Ok(fields.finish(new)?)
}

/// The page `message` selects.
pub fn page_request(message: &pb::ListTasksRequest) -> Result<PageRequest, Error> {
    let mut fields = Fields::default();
    let size = fields.take("page_size", page::size(message.page_size));
    let after = match message.page_token.as_str() {
        "" => None,
        token => fields.take("page_token", Place::parse(token, message.completed)),
    };
    let (completed, counted) = (message.completed, message.include_total);
    Ok(fields.finish(size.map(|size| PageRequest { size, after, completed, counted }))?)
}

/// A change of a task, and the version it is based on.
#[derive(Debug, PartialEq, Eq)]
pub struct Update {
    /// The task.
    pub id: Uuid,
    /// What to write.
    pub patch: TaskPatch,
    /// The caller's condition.
    pub etag: Option<Etag>,
}

/// The change `message` asks for.
pub fn update(mut message: pb::UpdateTaskRequest) -> Result<Update, Error> {
    let mut fields = Fields::default();
    let patch = patch::read(&mut message, &mut fields);
    let id = task_id(&message.id);
    Ok(fields.finish(Some(Update { id, patch, etag: Etag::given(message.etag) }))?)
}

impl From<Task> for pb::Task {
    fn from(task: Task) -> Self {
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
        }
    }
}

impl From<Page> for pb::ListTasksResponse {
    fn from(page: Page) -> Self {
        Self {
            tasks: page.tasks.into_iter().map(pb::Task::from).collect(),
            next_page_token: page.next.unwrap_or_default(),
            total_size: page.total.map(|total| i64::try_from(total).unwrap_or(i64::MAX)),
        }
    }
}

fn timestamp(moment: Moment) -> Timestamp {
    let (seconds, nanos) = moment.seconds_and_nanos();
    Timestamp { seconds, nanos: nanos.cast_signed() }
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
);

#[cfg(test)]
mod tests {
    use shared::error::Classified;

    use super::*;

    fn faulty(error: &Error) -> Vec<String> {
        error.violations().iter().map(|violation| violation.field.to_string()).collect()
    }

    #[test]
    fn only_the_canonical_spelling_of_an_id_names_a_task() {
        let id = "018bcfe5-687b-7aaa-8bbb-0123456789ab";
        assert_eq!(task_id(id).to_string(), id);
        for other in [
            "",
            "1",
            &id.to_uppercase(),
            &id.replace('-', ""),
            &format!("{{{id}}}"),
            &format!("urn:uuid:{id}"),
            "x'; --",
        ] {
            assert!(task_id(other).is_nil(), "{other:?}");
        }
    }

    #[test]
    fn a_creation_names_all_its_faults() {
        let message = pb::CreateTaskRequest {
            user_id: "alice".into(),
            title: " ".into(),
            description: "\0".into(),
            priority: 5,
            request_id: "a b".into(),
        };
        let error = new_task(message).expect_err("faults");
        assert_eq!(faulty(&error), ["title", "description", "priority", "request_id"]);
    }

    #[test]
    fn a_creation_has_defaults() {
        let message = pb::CreateTaskRequest { title: " a ".into(), ..Default::default() };
        let new = new_task(message).expect("a task");
        assert_eq!((new.title.as_str(), new.priority), ("a", Priority::Medium));
        assert_eq!((new.description.as_str(), new.request_id), ("", None));
    }

    #[test]
    fn a_page_names_all_its_faults() {
        let message =
            pb::ListTasksRequest { page_size: -1, page_token: "x".into(), ..Default::default() };
        assert_eq!(
            faulty(&page_request(&message).expect_err("faults")),
            ["page_size", "page_token"]
        );
    }

    #[test]
    fn a_task_is_said_as_the_contract_spells_it() {
        let task = Task {
            id: Uuid::from_u128(0x018b_cfe5_687b_7aaa_8bbb_0123_4567_89ab),
            user_id: "alice".into(),
            title: "a".into(),
            description: "b".into(),
            completed_at: Some(Moment::from_micros(2_000_001)),
            priority: Priority::Urgent,
            created_at: Moment::from_micros(1_000_000),
            updated_at: Moment::from_micros(2_000_001),
            revision: 42,
        };
        let said = pb::Task::from(task);
        assert_eq!(said.id, "018bcfe5-687b-7aaa-8bbb-0123456789ab");
        assert_eq!((said.user_id.as_str(), said.completed), ("alice", true));
        assert_eq!(said.priority(), pb::Priority::Urgent);
        assert_eq!(said.completed_at, Some(Timestamp { seconds: 2, nanos: 1_000 }));
        assert_eq!(said.created_at, Some(Timestamp { seconds: 1, nanos: 0 }));
        assert_eq!(said.etag, "2a");
    }
}
