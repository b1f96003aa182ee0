//! Exports and imports: a task a line.

use http::{Method, StatusCode, header::CONTENT_TYPE};
use hyper::body::Bytes;
use prost::Message;
use proto::task::v1::{
    ExportTasksResponse, ImportFault, ImportTasksRequest, ImportTasksResponse, Task,
};
use serde_json::{Map, Value, json};
use tonic::Status;

use super::{
    JSON, problem,
    requests::{collection, decoded, priority, reminders},
    schedule::{write_moment, write_recurrence},
    task,
};
use crate::{
    exchange::{HttpRequest, Reply},
    wire::{
        Call,
        shape::{assert_surrounded, assert_typed},
    },
};

/// What a list of lines calls itself.
const LINES: &str = "application/x-ndjson";

/// An answer that is tasks, each with its line.
#[track_caller]
pub fn exported(reply: &Reply) -> ExportTasksResponse {
    assert_eq!((reply.status, reply.text("content-type")), (StatusCode::OK, LINES));
    assert!(reply.text("content-disposition").starts_with("attachment;"), "{reply:?}");
    let text = std::str::from_utf8(&reply.body).expect("UTF-8");
    assert!(text.is_empty() || text.ends_with('\n'), "every line is whole");
    let tasks = text.lines().map(|line| task::read(&serde_json::from_str(line).expect("JSON")));
    ExportTasksResponse { tasks: tasks.collect(), reminders: Vec::new() }
}

/// Answers ImportTasks with the HTTP response.
pub async fn import(call: &Call, messages: &[Bytes]) -> Result<Vec<u8>, Status> {
    let messages: Vec<ImportTasksRequest> =
        messages.iter().map(|message| decoded(message)).collect();
    let first = messages.first().cloned().unwrap_or_default();
    let mut path = format!("{}/import", collection(&first.user_id));
    if first.dry_run {
        path += "?dry_run=true";
    }
    let tasks = messages.iter().flat_map(|message| &message.tasks);
    let lines: Vec<_> = tasks.map(|task| write(task).to_string() + "\n").collect();
    let asked =
        HttpRequest::new(Method::POST, &path).with(CONTENT_TYPE, LINES).body(lines.concat());
    let reply = call.send(asked).await;
    assert_surrounded(&reply);
    assert_typed(&reply, JSON);
    if !reply.status.is_success() {
        return Err(problem::status(&reply, &[]));
    }
    Ok(report(&reply).encode_to_vec())
}

/// An answer that is the report of an import.
#[track_caller]
fn report(reply: &Reply) -> ImportTasksResponse {
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let json = reply.json();
    let mut names: Vec<_> = json.as_object().expect("an object").keys().collect();
    names.sort();
    assert_eq!(names, ["dry_run", "faults", "faulty", "imported", "received", "skipped"]);
    let number = |of: &Value| of.as_i64().expect("a number");
    let fault = |of: &Value| {
        assert_eq!(of.as_object().map(Map::len), Some(3), "{of}");
        let text = |name: &str| of[name].as_str().expect("a text").to_owned();
        ImportFault { line: number(&of["line"]), field: text("field"), message: text("message") }
    };
    ImportTasksResponse {
        received: number(&json["received"]),
        imported: number(&json["imported"]),
        skipped: number(&json["skipped"]),
        faulty: number(&json["faulty"]),
        faults: json["faults"].as_array().expect("a list").iter().map(fault).collect(),
        dry_run: json["dry_run"].as_bool().expect("a switch"),
    }
}

/// A task with the members that are set.
fn write(task: &Task) -> Value {
    let text = |text: &String| (!text.is_empty()).then(|| json!(text));
    let members = [
        ("id", text(&task.id)),
        ("user_id", text(&task.user_id)),
        ("title", Some(json!(task.title))),
        ("description", text(&task.description)),
        ("completed", Some(json!(task.completed))),
        ("completed_at", task.completed_at.map(write_moment)),
        ("priority", (task.priority != 0).then(|| priority(task.priority))),
        ("created_at", task.created_at.map(write_moment)),
        ("updated_at", task.updated_at.map(write_moment)),
        ("etag", text(&task.etag)),
        ("tags", Some(json!(task.tags))),
        ("due_date", task.due_date.as_ref().map(|date| json!(date))),
        ("due_at", task.due_at.map(write_moment)),
        ("due_zone", task.due_zone.as_ref().map(|zone| json!(zone))),
        ("reminders", Some(reminders(&task.reminders))),
        ("recurrence", task.recurrence.as_ref().map(write_recurrence)),
        ("series_id", task.series_id.as_ref().map(|id| json!(id))),
        ("occurrence", task.occurrence.map(|number| json!(number))),
        ("position", text(&task.position)),
        ("deleted_at", task.deleted_at.map(write_moment)),
    ];
    let set = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(set.collect())
}
