//! Counts in JSON.

use http::StatusCode;
use proto::task::v1::{CountTasksResponse, PriorityCount, TagCount};
use serde_json::Value;

use super::task::PRIORITIES;
use crate::exchange::Reply;

/// An answer that is counts.
#[track_caller]
pub fn count(reply: &Reply) -> CountTasksResponse {
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let json = reply.json();
    let mut names: Vec<_> = json.as_object().expect("an object").keys().collect();
    names.sort();
    assert_eq!(names, ["completed", "open", "overdue", "priorities", "tags", "total"]);
    let number = |of: &Value| of.as_i64().expect("a number");
    let list = |name: &str| json[name].as_array().expect("a list").iter();
    let priority = |of: &Value| {
        assert_eq!(of.as_object().map(serde_json::Map::len), Some(2), "{of}");
        let known = PRIORITIES.iter().find(|(name, _)| of["priority"] == *name);
        let priority = known.expect("a known name").1.into();
        PriorityCount { priority, count: number(&of["count"]) }
    };
    let tag = |of: &Value| {
        assert_eq!(of.as_object().map(serde_json::Map::len), Some(2), "{of}");
        let tag = of["tag"].as_str().expect("a text").to_owned();
        TagCount { tag, count: number(&of["count"]) }
    };
    CountTasksResponse {
        total: number(&json["total"]),
        open: number(&json["open"]),
        completed: number(&json["completed"]),
        overdue: number(&json["overdue"]),
        priorities: list("priorities").map(priority).collect(),
        tags: list("tags").map(tag).collect(),
        partial: json.get("partial").and_then(Value::as_bool),
    }
}
