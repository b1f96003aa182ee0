//! What has changed, in JSON.

use http::StatusCode;
use proto::task::v1::{DeletedTask, SyncTasksResponse};
use serde_json::Value;

use super::task;
use crate::{
    exchange::Reply,
    wire::timestamp::{Digits, timestamp},
};

/// An answer that is a list of changes.
#[track_caller]
pub fn sync(reply: &Reply) -> SyncTasksResponse {
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let json = reply.json();
    let mut names: Vec<_> = json.as_object().expect("an object").keys().collect();
    names.sort();
    assert_eq!(names, ["deleted", "more", "next_sync_token", "tasks"], "{reply:?}");
    let list = |name: &str| json[name].as_array().expect("a list");
    SyncTasksResponse {
        tasks: list("tasks").iter().map(task::read).collect(),
        deleted: list("deleted").iter().map(deleted).collect(),
        next_sync_token: json["next_sync_token"].as_str().expect("a text").to_owned(),
        more: json["more"].as_bool().expect("a switch"),
    }
}

/// Reads that a task is gone.
#[track_caller]
pub fn deleted(json: &Value) -> DeletedTask {
    assert_eq!(json.as_object().map(serde_json::Map::len), Some(2), "{json}");
    DeletedTask {
        id: json["id"].as_str().expect("a text").to_owned(),
        deleted_at: timestamp(&json["deleted_at"], Digits::Micro),
    }
}
