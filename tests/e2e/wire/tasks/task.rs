//! A task in JSON.

use http::StatusCode;
use proto::task::v1::{Priority, Task};
use serde_json::Value;

use super::schedule;
use crate::{
    exchange::Reply,
    wire::timestamp::{Digits, timestamp},
};

/// The members of a task, all of them always there.
const MEMBERS: [&str; 19] = [
    "completed",
    "completed_at",
    "created_at",
    "description",
    "due_at",
    "due_date",
    "due_zone",
    "etag",
    "id",
    "occurrence",
    "position",
    "priority",
    "recurrence",
    "reminders",
    "series_id",
    "tags",
    "title",
    "updated_at",
    "user_id",
];

/// The one that is there in the trash alone.
const IN_THE_TRASH: &str = "deleted_at";

/// The priorities by their names.
pub const PRIORITIES: [(&str, Priority); 4] = [
    ("low", Priority::Low),
    ("medium", Priority::Medium),
    ("high", Priority::High),
    ("urgent", Priority::Urgent),
];

/// An answer that is one task, with its version in `ETag`.
#[track_caller]
pub fn one(reply: &Reply, status: StatusCode) -> Task {
    assert_eq!(reply.status, status, "{reply:?}");
    let task = read(&reply.json());
    assert_eq!(reply.text("etag"), format!("\"{}\"", task.etag));
    task
}

/// Reads a task that has all its members and no other.
#[track_caller]
pub fn read(task: &Value) -> Task {
    let mut names: Vec<_> = task.as_object().expect("an object").keys().collect();
    names.retain(|name| *name != IN_THE_TRASH);
    names.sort();
    assert_eq!(names, MEMBERS);
    assert!(task.get(IN_THE_TRASH).is_none_or(Value::is_string), "{task}");
    let text = |name: &str| task[name].as_str().unwrap_or_else(|| panic!("{name}")).to_owned();
    let or_null = |name: &str| (!task[name].is_null()).then(|| text(name));
    let list = |name: &str| task[name].as_array().unwrap_or_else(|| panic!("{name}"));
    let at = |name: &str| timestamp(&task[name], Digits::Micro);
    let name = text("priority");
    let priority = PRIORITIES.iter().find(|(known, _)| *known == name);
    Task {
        id: text("id"),
        user_id: text("user_id"),
        title: text("title"),
        description: text("description"),
        completed: task["completed"].as_bool().expect("a switch"),
        completed_at: at("completed_at"),
        priority: priority.map(|(_, priority)| i32::from(*priority)).expect("a priority"),
        created_at: at("created_at"),
        updated_at: at("updated_at"),
        etag: text("etag"),
        tags: list("tags").iter().map(|tag| tag.as_str().expect("a text").to_owned()).collect(),
        due_date: or_null("due_date"),
        due_at: at("due_at"),
        due_zone: or_null("due_zone"),
        reminders: list("reminders").iter().map(schedule::read_reminder).collect(),
        recurrence: schedule::read_recurrence(&task["recurrence"]),
        series_id: or_null("series_id"),
        occurrence: task["occurrence"].as_i64(),
        position: text("position"),
        deleted_at: at(IN_THE_TRASH),
    }
}
