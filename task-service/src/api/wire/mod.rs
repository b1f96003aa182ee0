//! The conversion between messages and domain types, with all faults at once.

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

use self::content::parse_content;
pub use self::{
    batch::{BatchUpdate, batch_update, named_tasks, new_tasks},
    erasure::erased_user,
    filter::{count_filter, page_request},
    import::{import_report, import_task},
    security_events::{events, events_request},
    sync::{changes, sync_request},
    watch::{event, past_reminder, reminder_event, reminders_request, watch_request},
};
use crate::{
    domain::{
        etag::Etag,
        request_id::RequestId,
        task::{NewTask, TaskPatch},
    },
    error::Error,
    query::page::Page,
    store::MoveTarget,
};

/// The task id in `text`, in any case (RFC 9562 section 4). An invalid id is the nil id, which no
/// task has, so it is answered like any unknown id.
pub fn task_id(text: &str) -> Uuid {
    spelled_id(text).unwrap_or_default()
}

/// The id in the hyphenated form alone.
fn spelled_id(text: &str) -> Option<Uuid> {
    let mut spelling = Uuid::encode_buffer();
    let id = Uuid::try_parse(text).ok()?;
    id.as_hyphenated().encode_lower(&mut spelling).eq_ignore_ascii_case(text).then_some(id)
}

/// The task to create. A rule without a later occurrence is a fault.
pub fn new_task(message: pb::CreateTaskRequest) -> Result<NewTask, Error> {
    let new = parse_content(message)?;
    new.content.check(true)?;
    Ok(new)
}

/// The idempotency key of a call, if there is one.
fn request_id(text: String, fields: &mut Fields) -> Option<RequestId> {
    if text.is_empty() { None } else { fields.take("request_id", RequestId::parse(text)) }
}

/// An update of a task.
#[derive(Debug, PartialEq, Eq)]
pub struct Update {
    /// The task.
    pub id: Uuid,
    /// The patch.
    pub patch: TaskPatch,
    /// The precondition.
    pub etag: Option<Etag>,
}

/// The update in `message`.
pub fn update(mut message: pb::UpdateTaskRequest) -> Result<Update, Error> {
    let mut fields = Fields::default();
    let (id, etag) = (task_id(&message.id), Etag::given(std::mem::take(&mut message.etag)));
    let patch = content::patch(message, &mut fields);
    Ok(fields.finish(Some(Update { id, patch, etag }))?)
}

/// The target of the move in `message`.
pub fn move_target(message: &pb::MoveTaskRequest) -> Result<MoveTarget, Error> {
    let mut fields = Fields::default();
    let target = match (message.before.as_deref(), message.after.as_deref()) {
        (Some(other), None) => Some(MoveTarget::Before(task_id(other))),
        (None, Some(other)) => Some(MoveTarget::After(task_id(other))),
        (None, None) => Some(MoveTarget::End),
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
