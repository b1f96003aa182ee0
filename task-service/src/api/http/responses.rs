//! Responses of the rpcs as HTTP: tasks, problems, links.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use proto::task::v1::Task;
use server::http::{Problem, json};
use tonic::Status;

use super::preconditions::tag;

/// Unreserved characters in a path (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The names of rpc fields over HTTP.
const NAMES: [(&str, &str); 3] = [
    ("request_id", "Idempotency-Key"),
    ("update_mask", "body"),
    ("changes.update_mask", "changes"),
];

/// The error of an rpc as a problem.
pub fn problem(status: Status) -> Problem {
    renamed(status, &NAMES)
}

/// The error of an rpc as a problem, with these names for fields.
pub fn renamed(status: Status, names: &[(&str, &str)]) -> Problem {
    let mut problem = Problem::from(status);
    let mut is_renamed = false;
    for fault in &mut problem.faults {
        if let Some((_, name)) = names.iter().find(|(field, _)| *field == fault.field) {
            (*name).clone_into(&mut fault.field);
            is_renamed = true;
        }
    }
    // The message of the problem names the fields as well.
    if is_renamed { Problem::invalid(problem.faults) } else { problem }
}

/// The response 200 with the task.
pub fn task_or_nothing(task: Option<Task>) -> Response {
    task.map_or_else(no_content, |task| with_task(StatusCode::OK, &task))
}

pub fn with_task(status: StatusCode, task: &Task) -> Response {
    ([(header::ETAG, tag(&task.etag))], json::answer(status, task)).into_response()
}

pub fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// The path of a user's tasks.
pub fn collection(user_id: &str) -> String {
    format!("/api/{}/tasks", utf8_percent_encode(user_id, RESERVED))
}

/// The link to the next page of `query`: the same parameters with another page token.
pub fn next(path: &str, query: &str, token: &str) -> String {
    let mut link = format!("<{path}?page_token={token}");
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let name = parameter.split('=').next().unwrap_or_default();
        let name = percent_decode_str(name).decode_utf8_lossy();
        if name != "page_token" && name != "pageToken" {
            link.push('&');
            link.push_str(parameter);
        }
    }
    link + ">; rel=\"next\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_asked_for_in_the_same_words() {
        for (query, more) in [
            ("", ""),
            (
                "page_size=2&text=caf%C3%A9+au&tags_any=a&tags_any=b",
                "&page_size=2&text=caf%C3%A9+au&tags_any=a&tags_any=b",
            ),
            ("page_token=old&sort=due", "&sort=due"),
            ("&sort=due&&pageToken=old&page%5Ftoken=", "&sort=due"),
        ] {
            assert_eq!(
                next("/p", query, "new"),
                format!("</p?page_token=new{more}>; rel=\"next\"")
            );
        }
    }
}
