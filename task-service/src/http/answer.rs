//! What the rpcs answer, in the words of HTTP.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shared::{
    http::{Problem, json},
    proto::task::v1::{self as pb, Task},
};
use tonic::Status;

use super::conditions::tag;

/// What need not be encoded in a path (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Faults of the rpcs in the words of HTTP.
const NAMES: [(&str, &str); 2] = [("request_id", "Idempotency-Key"), ("update_mask", "body")];

/// The refusal of an rpc in the words of HTTP.
pub fn problem(status: Status) -> Problem {
    let mut problem = Problem::from(status);
    for fault in &mut problem.faults {
        if let Some((_, name)) = NAMES.iter().find(|(field, _)| *field == fault.field) {
            (*name).clone_into(&mut fault.field);
        }
    }
    if problem.faults.is_empty() { problem } else { Problem::invalid(problem.faults) }
}

/// 200 and the task.
pub fn one(task: Option<Task>) -> Response {
    task.map_or_else(nothing, |task| said(StatusCode::OK, &task))
}

pub fn said(status: StatusCode, task: &Task) -> Response {
    ([(header::ETAG, tag(&task.etag))], json::answer(status, task)).into_response()
}

pub fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// Where the tasks of a user are.
pub fn collection(user_id: &str) -> String {
    format!("/api/{}/tasks", utf8_percent_encode(user_id, RESERVED))
}

/// The link to the page after this one, with the same filter.
pub fn next(path: &str, asked: &pb::ListTasksRequest, token: &str) -> String {
    let size = (asked.page_size > 0).then(|| format!("&page_size={}", asked.page_size));
    let filter = asked.completed.map(|completed| format!("&completed={completed}"));
    let total = if asked.include_total { "&include_total=true" } else { "" };
    let [size, filter] = [size, filter].map(Option::unwrap_or_default);
    format!("<{path}?page_token={token}{size}{filter}{total}>; rel=\"next\"")
}
