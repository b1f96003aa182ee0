//! Between the messages of the contract and the domain, and nothing else.

mod batch;
mod content;
mod count;
mod erasure;
mod filter;
mod import;
mod mask;
mod priority;
mod schedule;
mod security_events;
mod sync;
mod task;
mod timestamp;
mod watch;

use proto::task::v1 as pb;
use shared::fields::Fields;
use uuid::Uuid;

use self::content::described;
pub use self::{
    batch::{BatchUpdate, batch_update, named_tasks, new_tasks},
    erasure::departed_user,
    filter::{counted, page_request},
    import::{imported, report},
    security_events::{events, events_request},
    sync::{changes, sync_request},
    watch::{event, firing, past_reminder, reminders_request, watch_request},
};
use crate::{
    domain::{
        etag::Etag,
        request_id::RequestId,
        task::{NewTask, TaskPatch},
    },
    error::Error,
    query::page::Page,
    store::Target,
};

/// The task an id names, in capitals or not (RFC 9562 section 4). A text that is not
/// spelled like an id names the nil id, which no task has: it goes the way of every unknown
/// id and gets the same answer.
pub fn task_id(text: &str) -> Uuid {
    spelled_id(text).unwrap_or_default()
}

/// The id that a text spells: 32 hexadecimal digits with four hyphens between them, and none
/// of the other spellings there are.
fn spelled_id(text: &str) -> Option<Uuid> {
    let mut spelling = Uuid::encode_buffer();
    let id = Uuid::try_parse(text).ok()?;
    id.as_hyphenated().encode_lower(&mut spelling).eq_ignore_ascii_case(text).then_some(id)
}

/// The new task `message` describes. A rule that nothing comes of is a fault.
pub fn new_task(message: pb::CreateTaskRequest) -> Result<NewTask, Error> {
    let new = described(message)?;
    new.content.check(true)?;
    Ok(new)
}

/// What makes a call safe to repeat, if the caller wants it to be.
fn request_id(text: String, fields: &mut Fields) -> Option<RequestId> {
    if text.is_empty() { None } else { fields.take("request_id", RequestId::parse(text)) }
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
    let (id, etag) = (task_id(&message.id), Etag::given(std::mem::take(&mut message.etag)));
    let patch = content::patch(message, &mut fields);
    Ok(fields.finish(Some(Update { id, patch, etag }))?)
}

/// A move of a task, and the version it is based on.
pub fn place(message: &pb::MoveTaskRequest) -> Result<Target, Error> {
    let mut fields = Fields::default();
    let target = match (message.before.as_deref(), message.after.as_deref()) {
        (Some(other), None) => Some(Target::Before(task_id(other))),
        (None, Some(other)) => Some(Target::After(task_id(other))),
        (None, None) => Some(Target::End),
        (Some(_), Some(_)) => fields.take("after", Err("must not come with `before`")),
    };
    Ok(fields.finish(target)?)
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

#[cfg(test)]
mod tests {
    use shared::error::Classified;

    use super::*;
    use crate::domain::task::Priority;

    fn faulty(error: &Error) -> Vec<String> {
        error.violations().iter().map(|violation| violation.field.to_string()).collect()
    }

    #[test]
    fn an_id_is_read_in_any_case_and_in_no_other_spelling() {
        let id = "018bcfe5-687b-7aaa-8bbb-0123456789ab";
        for spelled in [id, &id.to_uppercase(), "018BCFE5-687b-7aaa-8BBB-0123456789AB"] {
            assert_eq!(task_id(spelled).to_string(), id);
        }
        for other in [
            "",
            "1",
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
            tags: vec![String::new()],
            due_date: Some("soon".into()),
            ..Default::default()
        };
        let error = new_task(message).expect_err("faults");
        let all = ["title", "description", "priority", "tags", "due_date", "request_id"];
        assert_eq!(faulty(&error), all);
    }

    #[test]
    fn a_creation_has_defaults() {
        let message = pb::CreateTaskRequest { title: " a ".into(), ..Default::default() };
        let new = new_task(message).expect("a task");
        let content = new.content;
        assert_eq!((content.title.as_str(), content.priority), ("a", Priority::Medium));
        assert_eq!((content.description.as_str(), new.request_id), ("", None));
    }
}
