//! A task in JSON.

use http::StatusCode;
use serde_json::Value;
use shared::proto::task::v1::{Priority, Task};

use crate::{
    exchange::Reply,
    wire::moment::{Digits, moment},
};

/// The members of a task, all of them always there.
const MEMBERS: [&str; 10] = [
    "completed",
    "completed_at",
    "created_at",
    "description",
    "etag",
    "id",
    "priority",
    "title",
    "updated_at",
    "user_id",
];

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
    names.sort();
    assert_eq!(names, MEMBERS);
    let text = |name: &str| task[name].as_str().unwrap_or_else(|| panic!("{name}")).to_owned();
    let at = |name: &str| moment(&task[name], Digits::Micro);
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
    }
}
