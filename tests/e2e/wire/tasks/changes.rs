//! What has changed, in JSON.

use http::StatusCode;
use proto::task::v1::{DeletedTask, SyncTasksResponse};
use serde_json::Value;

use super::task;
use crate::{
    exchange::Reply,
    wire::moment::{Digits, moment},
};

/// An answer that is a list of changes.
#[track_caller]
pub fn sync(reply: &Reply) -> SyncTasksResponse {
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let said = reply.json();
    let mut names: Vec<_> = said.as_object().expect("an object").keys().collect();
    names.sort();
    assert_eq!(names, ["deleted", "more", "next_sync_token", "tasks"], "{reply:?}");
    let list = |name: &str| said[name].as_array().expect("a list");
    SyncTasksResponse {
        tasks: list("tasks").iter().map(task::read).collect(),
        deleted: list("deleted").iter().map(deleted).collect(),
        next_sync_token: said["next_sync_token"].as_str().expect("a text").to_owned(),
        more: said["more"].as_bool().expect("a switch"),
    }
}

/// Reads that a task is gone.
#[track_caller]
pub fn deleted(said: &Value) -> DeletedTask {
    assert_eq!(said.as_object().map(serde_json::Map::len), Some(2), "{said}");
    DeletedTask {
        id: said["id"].as_str().expect("a text").to_owned(),
        deleted_at: moment(&said["deleted_at"], Digits::Micro),
    }
}
