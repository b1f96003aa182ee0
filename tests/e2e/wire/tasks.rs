//! `task.v1.TaskService` over HTTP.

mod bulk;
mod count;
mod import_export;
mod problem;
mod query;
mod requests;
mod schedule;
mod sync;
mod task;
mod watch;

use http::StatusCode;
use prost::Message;
use proto::task::v1::{
    CompleteTaskResponse, CreateTaskResponse, DeleteTaskResponse, GetTaskResponse,
    ListSecurityEventsResponse, ListTasksResponse, MoveTaskResponse, ReopenTaskResponse,
    SkipTaskResponse, Task, ToggleTaskResponse, UndeleteTaskResponse, UpdateTaskResponse,
};
use tonic::Status;

use self::requests::Asks;
pub use self::{bulk::bulk, import_export::import, problem::Problem, watch::watch};
use super::{
    Call,
    security_event::{self, Spelling},
    shape::{assert_surrounded, assert_typed},
};
use crate::exchange::Reply;

/// The media type of JSON.
pub const JSON: &str = "application/json";

/// Answers an rpc with the HTTP response.
pub async fn answer(call: &Call, rpc: &str, message: &[u8]) -> Result<Vec<u8>, Status> {
    let asks = Asks::read(rpc, message);
    let reply = call.send(asks.asked.clone()).await;
    assert_surrounded(&reply);
    assert_typed(&reply, JSON);
    assert!(!reply.headers.contains_key("set-cookie"), "{reply:?}");
    if !reply.status.is_success() {
        return Err(problem::status(&reply, &asks.mask));
    }
    assert!(!reply.headers.contains_key("www-authenticate"), "{reply:?}");
    let one = |status| Some(task::one(&reply, status));
    Ok(match rpc {
        "CreateTask" => {
            let task = task::one(&reply, StatusCode::CREATED);
            let place = format!("{}/{}", asks.asked.path(), task.id);
            assert_eq!(reply.text("location"), place);
            CreateTaskResponse { task: Some(task) }.encode_to_vec()
        }
        "ListTasks" => page(&asks, &reply).encode_to_vec(),
        "GetTask" => GetTaskResponse { task: one(StatusCode::OK) }.encode_to_vec(),
        "UpdateTask" => UpdateTaskResponse { task: one(StatusCode::OK) }.encode_to_vec(),
        "CompleteTask" => CompleteTaskResponse { task: one(StatusCode::OK) }.encode_to_vec(),
        "ReopenTask" => ReopenTaskResponse { task: one(StatusCode::OK) }.encode_to_vec(),
        "ToggleTask" => ToggleTaskResponse { task: one(StatusCode::OK) }.encode_to_vec(),
        "MoveTask" => MoveTaskResponse { task: one(StatusCode::OK) }.encode_to_vec(),
        "SkipTask" => SkipTaskResponse { task: one(StatusCode::OK) }.encode_to_vec(),
        "UndeleteTask" => UndeleteTaskResponse { task: one(StatusCode::OK) }.encode_to_vec(),
        "CountTasks" => count::count(&reply).encode_to_vec(),
        "ListSecurityEvents" => {
            assert_eq!(reply.status, StatusCode::OK);
            let (events, next_page_token) = security_event::events(&reply.json(), Spelling::Snake);
            ListSecurityEventsResponse { events, next_page_token }.encode_to_vec()
        }
        "SyncTasks" => sync::sync(&reply).encode_to_vec(),
        "DeleteTask" => {
            assert_eq!(reply.status, StatusCode::NO_CONTENT);
            DeleteTaskResponse {}.encode_to_vec()
        }
        _ => panic!("{rpc} has no route that this adapter knows"),
    })
}

/// A bare list, with the data about the list in headers.
fn page(asks: &Asks, reply: &Reply) -> ListTasksResponse {
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let tasks: Vec<Task> =
        reply.json().as_array().expect("a bare list").iter().map(task::read).collect();
    let total = reply.text("x-total-count");
    assert_eq!(total.is_empty(), !asks.wants_total(), "counted on demand: {reply:?}");
    ListTasksResponse {
        tasks,
        next_page_token: asks.next_page_token(reply.text("link")),
        total_size: (!total.is_empty()).then(|| total.parse().expect("a number")),
    }
}
