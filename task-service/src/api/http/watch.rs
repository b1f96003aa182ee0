//! The route of watches: server-sent events (HTML standard, section 9.2), each an event of the rpc.

use std::{convert::Infallible, mem::take};

use axum::{
    Extension,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderName, header};
use proto::task::v1::{self as pb, task_service_server::TaskService, watch_tasks_response::Event};
use serde::Serialize;
use server::{
    StreamKind,
    http::{Problem, ProblemBody},
};
use tonic::Status;
use utoipa::ToSchema;

use super::{
    Guarded,
    caller::Caller,
    openapi::{Refusals, TooOld},
    preconditions::last_event_id,
    requests::{LastEventId, OfUser},
    responses::{problem, renamed},
};

/// The delay before a browser reconnects, in milliseconds.
const RETRY: &str = "retry: 1000\n\n";

/// Headers for proxies, which must pass each event on at once. `no-transform` is set for all
/// streams alike.
const HEADERS: [(HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "text/event-stream"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

/// An event.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the text of a stream")]
pub struct EventLine {
    /// `changed`, `deleted`, `reminder`, `heartbeat` or `end`.
    event: String,
    /// The token to go on from after it.
    id: Option<String>,
    /// What happened, as JSON: a task, what is left of it, a reminder, the server's time, or
    /// why the stream ends.
    data: String,
}

/// Read what has changed since a token, and go on as tasks change.
///
/// Server-sent events: `changed` with a Task, `deleted` with a DeletedTask, `reminder` with
/// a FiredReminder, and `heartbeat` with a Heartbeat every 15 seconds. Each has an id to go
/// on from: a browser sends the last one in `Last-Event-ID` when it comes back.
///
/// The last event is `end`, with a Problem: `TOKEN_EXPIRED` asks for a fresh access token,
/// `SYNC_TOKEN_TOO_OLD` to start over; one without a reason says that the database was away
/// for a minute. A stream that ends without a word has lost its
/// connection, or the server stops: come back.
#[utoipa::path(
    get, path = "/api/{user_id}/tasks/watch", tag = "tasks", operation_id = "watchTasks",
    params(OfUser, pb::WatchTasksRequest, LastEventId),
    responses(
        (status = 200, description = "Events, until the access token ends",
            body = EventLine, content_type = "text/event-stream"),
        TooOld,
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn watch(
    State(Guarded { rpcs, .. }): State<Guarded>,
    mut caller: Caller<pb::WatchTasksRequest>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut message = take(&mut caller.query);
    message.user_id.clone_from(&caller.user_id);
    // A browser reconnects to the same URL, so the header takes precedence.
    let mut names = &[][..];
    if let Some(id) = last_event_id(&headers)? {
        message.sync_token = id;
        names = &[("sync_token", "Last-Event-ID")];
    }
    let answer = rpcs.watch_tasks(caller.call(message)?).await;
    let answer = answer.map_err(|status| renamed(status, names))?;
    let events = Body::from_stream(events(answer.into_inner()));
    Ok((Extension(StreamKind::Watch), HEADERS, events).into_response())
}

/// The frames of `messages`, of which an error is the last.
fn events(
    messages: impl Stream<Item = Result<pb::WatchTasksResponse, Status>>,
) -> impl Stream<Item = Result<String, Infallible>> {
    let frames = messages.map(|message| message.map_or_else(end_frame, event_frame));
    stream::iter([RETRY.to_owned()]).chain(frames).map(Ok)
}

/// The frame of an event of the rpc.
fn event_frame(message: pb::WatchTasksResponse) -> String {
    let id = &message.sync_token;
    match message.event {
        Some(Event::Changed(task)) => frame("changed", id, &task),
        Some(Event::Deleted(task)) => frame("deleted", id, &task),
        Some(Event::Reminder(reminder)) => frame("reminder", id, &reminder),
        Some(Event::Heartbeat(beat)) => frame("heartbeat", id, &beat),
        // An event that this route does not know.
        None => String::new(),
    }
}

/// The frame of the end. The id of the last event stays.
fn end_frame(status: Status) -> String {
    format!("event: end\ndata: {}\n\n", text(&ProblemBody::of(&problem(status))))
}

fn frame(event: &str, id: &str, data: &impl Serialize) -> String {
    format!("event: {event}\nid: {id}\ndata: {}\n\n", text(data))
}

/// JSON is one line, as it escapes line ends.
fn text(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default()
}
