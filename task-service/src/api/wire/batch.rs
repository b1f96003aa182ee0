//! Batches on the wire. A fault is named with the index of its element.

use std::collections::{HashMap, HashSet};

use proto::task::v1 as pb;
use shared::fields::{Fields, MAX_REPORTED, Violations};
use uuid::Uuid;

use super::{
    content::{self, parse_content},
    request_id, schedule, task_id,
};
use crate::{
    domain::{
        request_id::RequestId,
        task::{Content, NewTask, Repeat, TaskPatch},
    },
    error::Error,
};

/// The most elements of a batch.
const MAX_ELEMENTS: usize = 500;

/// The number of elements after which the parser yields to other work on the thread.
const YIELD_EVERY: usize = 16;

/// The tasks to create, and the idempotency key. Yields now and then, since some rules are
/// expensive to check.
pub async fn new_tasks(
    message: pb::BatchCreateTasksRequest,
) -> Result<(Vec<Content>, Option<RequestId>), Error> {
    let mut fields = Fields::default();
    check_count("tasks", message.tasks.len(), &mut fields);
    let mut tasks = Vec::with_capacity(message.tasks.len().min(MAX_ELEMENTS));
    let mut rules = Rules::default();
    for (i, task) in message.tasks.into_iter().take(MAX_ELEMENTS).enumerate() {
        if i % YIELD_EVERY == YIELD_EVERY - 1 {
            tokio::task::yield_now().await;
        }
        let task = element(task, &message.user_id, &mut rules)
            .inspect_err(|Violations(faults)| rules.faults += faults.len());
        tasks.extend(fields.nested(format_args!("tasks[{i}]"), task));
    }
    let request_id = request_id(message.request_id, &mut fields);
    Ok(fields.finish(Some((tasks, request_id)))?)
}

/// One task of a batch of `user_id`.
fn element(
    mut task: pb::CreateTaskRequest,
    user_id: &str,
    rules: &mut Rules,
) -> Result<Content, Violations> {
    let mut fields = Fields::default();
    let mut unset = |name: &'static str, text: &str| {
        if !text.is_empty() {
            fields.fault(name, "must not be set");
        }
    };
    unset("request_id", &std::mem::take(&mut task.request_id));
    if task.user_id != user_id {
        unset("user_id", &task.user_id);
    }
    let rule = task.recurrence.take();
    let task = fields.join(parse_content(task));
    let rule = fields.join(rule.map_or(Ok(None), |rule| rules.read(rule)));
    let content = task.map(|NewTask { mut content, request_id: _ }| {
        content.recurrence = rule.flatten();
        content
    });
    let content = fields.finish(content)?;
    content.check(true)?;
    Ok(content)
}

/// The recurrence rules of a batch. Equal ones are parsed once.
#[derive(Default)]
struct Rules {
    read: HashMap<pb::Recurrence, Result<Repeat, Violations>>,
    /// The number of faults in the batch.
    faults: usize,
}

impl Rules {
    /// The parsed `rule`; skipped once enough faults are found to refuse the batch.
    fn read(&mut self, rule: pb::Recurrence) -> Result<Option<Repeat>, Violations> {
        if self.faults >= MAX_REPORTED {
            return Ok(None);
        }
        let read = self.read.entry(rule).or_insert_with_key(|rule| {
            let mut fields = Fields::default();
            let rule = schedule::recurrence(rule, &mut fields);
            fields.finish(rule)
        });
        read.clone().map(Some)
    }
}

/// A batch update.
#[derive(Debug, PartialEq, Eq)]
pub struct BatchUpdate {
    /// The tasks.
    pub ids: Vec<Uuid>,
    /// The patch of each task.
    pub patch: TaskPatch,
    /// The idempotency key.
    pub request_id: Option<RequestId>,
}

/// The batch update in `message`.
pub fn batch_update(message: pb::BatchUpdateTasksRequest) -> Result<BatchUpdate, Error> {
    let mut fields = Fields::default();
    let ids = ids(&message.ids, &mut fields);
    let changes = message.changes.unwrap_or_default();
    for (name, text) in
        [("user_id", &changes.user_id), ("id", &changes.id), ("etag", &changes.etag)]
    {
        if !text.is_empty() {
            fields.fault(format!("changes.{name}"), "must not be set");
        }
    }
    let mut within = Fields::default();
    let patch = content::patch(changes, &mut within);
    let patch = fields.nested("changes", within.finish(Some(patch)));
    let request_id = request_id(message.request_id, &mut fields);
    Ok(fields.finish(patch.map(|patch| BatchUpdate { ids, patch, request_id }))?)
}

/// The task ids of a batch, and the idempotency key.
pub fn named_tasks(named: &[String], key: String) -> Result<(Vec<Uuid>, Option<RequestId>), Error> {
    let mut fields = Fields::default();
    let ids = ids(named, &mut fields);
    let request_id = request_id(key, &mut fields);
    Ok(fields.finish(Some((ids, request_id)))?)
}

fn ids(named: &[String], fields: &mut Fields) -> Vec<Uuid> {
    check_count("ids", named.len(), fields);
    let mut seen = HashSet::with_capacity(named.len().min(MAX_ELEMENTS));
    let mut ids = Vec::with_capacity(named.len().min(MAX_ELEMENTS));
    for (i, text) in named.iter().take(MAX_ELEMENTS).enumerate() {
        let id = task_id(text);
        // Invalid ids are compared as text.
        if !seen.insert((id, if id.is_nil() { text.as_str() } else { "" })) {
            fields.fault(format!("ids[{i}]"), "must be a different one");
        }
        ids.push(id);
    }
    ids
}

fn check_count(list: &'static str, count: usize, fields: &mut Fields) {
    if !(1..=MAX_ELEMENTS).contains(&count) {
        fields.fault(list, format!("must be 1 to {MAX_ELEMENTS}"));
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use shared::error::Classified;

    use super::*;

    fn faults<T: std::fmt::Debug>(read: Result<T, Error>) -> Vec<String> {
        let error = read.expect_err("faults");
        let faults =
            |fault: &shared::fields::Violation| format!("{} {}", fault.field, fault.message);
        error.violations().iter().map(faults).collect()
    }

    fn new(title: &str) -> pb::CreateTaskRequest {
        pb::CreateTaskRequest { title: title.into(), ..Default::default() }
    }

    #[tokio::test]
    async fn every_fault_of_every_element_has_its_index() {
        let message = pb::BatchCreateTasksRequest {
            user_id: "ada".into(),
            tasks: vec![
                pb::CreateTaskRequest { user_id: "ada".into(), ..new("sound") },
                pb::CreateTaskRequest { priority: 9, ..new("") },
                pb::CreateTaskRequest { user_id: "bob".into(), request_id: "r".into(), ..new("a") },
                pb::CreateTaskRequest { recurrence: Some(pb::Recurrence::default()), ..new("a") },
            ],
            request_id: "a b".into(),
        };
        let faults = faults(new_tasks(message).await);
        let fields: Vec<_> = faults.iter().filter_map(|faults| faults.split(' ').next()).collect();
        let expected = [
            "tasks[1].title",
            "tasks[1].priority",
            "tasks[2].request_id",
            "tasks[2].user_id",
            "tasks[3].recurrence.rule",
            "request_id",
        ];
        assert_eq!(fields, expected, "{faults:?}");
    }

    fn repeating(rule: &str) -> pb::CreateTaskRequest {
        let rule = pb::Recurrence { rule: rule.into(), ..Default::default() };
        let due_date = Some("2026-11-25".into());
        pb::CreateTaskRequest { recurrence: Some(rule), due_date, ..new("a") }
    }

    #[tokio::test]
    async fn equal_rules_are_parsed_once_and_faults_are_limited() {
        let tasks = ["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=DAILY"].map(repeating).to_vec();
        let message = pb::BatchCreateTasksRequest { tasks: tasks.clone(), ..Default::default() };
        let (read, _) = new_tasks(message).await.expect("tasks");
        let rules = read.iter().filter_map(|task| task.recurrence.as_ref());
        let rules: Vec<_> = rules.map(|repeat| repeat.rule.as_str()).collect();
        assert_eq!(rules, ["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=DAILY"]);
        let mut rules = Rules::default();
        for task in tasks {
            element(task, "", &mut rules).expect("a task");
        }
        assert_eq!(rules.read.len(), 2);

        let tasks = (0..MAX_ELEMENTS).map(|n| repeating(&format!("FREQ=NO{n}"))).collect();
        let message = pb::BatchCreateTasksRequest { tasks, ..Default::default() };
        assert_eq!(faults(new_tasks(message).await).len(), MAX_REPORTED);
    }

    #[tokio::test]
    async fn the_fields_of_an_element_must_fit_each_other() {
        let before = pb::Reminder { minutes_before: Some(5), at: None };
        let elements = [
            pb::CreateTaskRequest { due_date: None, ..repeating("FREQ=DAILY") },
            pb::CreateTaskRequest { reminders: vec![before], ..new("a") },
            repeating("FREQ=DAILY;UNTIL=20261125"),
        ];
        for (i, element) in elements.into_iter().enumerate() {
            let message =
                pb::BatchCreateTasksRequest { tasks: vec![element.clone()], ..Default::default() };
            let single = faults(super::super::new_task(element));
            let batched = faults(new_tasks(message).await);
            assert_eq!(batched, [format!("tasks[0].{}", single[0])], "{i}");
        }
    }

    #[tokio::test]
    async fn a_long_batch_yields() {
        for (count, at_once) in [(YIELD_EVERY - 1, true), (YIELD_EVERY, false)] {
            let tasks = vec![new("a"); count];
            let message = pb::BatchCreateTasksRequest { tasks, ..Default::default() };
            assert_eq!(new_tasks(message).now_or_never().is_some(), at_once, "{count}");
        }
    }

    #[tokio::test]
    async fn a_batch_has_one_to_five_hundred_elements() {
        for (count, is_taken) in [(0, false), (1, true), (500, true), (501, false)] {
            let tasks = vec![new("a"); count];
            let message = pb::BatchCreateTasksRequest { tasks, ..Default::default() };
            assert_eq!(new_tasks(message).await.is_ok(), is_taken, "{count}");
            let ids: Vec<_> = (0..count).map(|n| n.to_string()).collect();
            assert_eq!(named_tasks(&ids, String::new()).is_ok(), is_taken, "{count}");
        }
    }

    #[test]
    fn an_id_in_other_letters_is_the_same_one() {
        let id = "018bcfe5-687b-7aaa-8bbb-0123456789ab";
        let twice = [id.to_owned(), id.to_uppercase()];
        let faults = faults(named_tasks(&twice, String::new()));
        assert_eq!(faults, ["ids[1] must be a different one"]);
    }

    #[test]
    fn an_update_names_different_tasks_and_something_to_write() {
        let ids = ["a", "b", "a"].map(str::to_owned).to_vec();
        let changes = Some(pb::UpdateTaskRequest {
            id: "a".into(),
            title: Some(String::new()),
            ..Default::default()
        });
        let message = pb::BatchUpdateTasksRequest { ids, changes, ..Default::default() };
        let faults = faults(batch_update(message.clone()));
        assert_eq!(faults[..2], ["ids[2] must be a different one", "changes.id must not be set"]);
        assert!(faults[2].starts_with("changes.title must be 1 to 200"), "{faults:?}");
        let message = pb::BatchUpdateTasksRequest { changes: None, ..message };
        assert!(batch_update(message).is_err());
    }
}
