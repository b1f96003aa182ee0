//! `task.v1.TaskBulkService` over HTTP, except imports.

use http::{Method, StatusCode};
use prost::Message;
use proto::task::v1::{
    BatchCompleteTasksRequest, BatchCompleteTasksResponse, BatchCreateTasksRequest,
    BatchCreateTasksResponse, BatchDeleteTasksRequest, BatchDeleteTasksResponse,
    BatchUpdateTasksRequest, BatchUpdateTasksResponse, ExportTasksRequest, Task,
};
use serde_json::{Value, json};
use tonic::Status;

use super::{
    JSON, import_export, problem,
    requests::{changes, collection, decoded, new, once},
    task,
};
use crate::{
    exchange::{HttpRequest, Reply},
    wire::{
        Call,
        shape::{assert_surrounded, assert_typed},
    },
};

/// Answers an rpc with the HTTP response.
pub async fn bulk(call: &Call, rpc: &str, message: &[u8]) -> Result<Vec<u8>, Status> {
    let asked = match rpc {
        "BatchCreateTasks" => {
            let BatchCreateTasksRequest { user_id, tasks, request_id } = decoded(message);
            let tasks: Vec<_> = tasks.iter().map(new).collect();
            batch(&user_id, "create", &json!({ "tasks": tasks }), &request_id)
        }
        "BatchUpdateTasks" => {
            let message: BatchUpdateTasksRequest = decoded(message);
            let (method, changes) = changes(message.changes.unwrap_or_default());
            assert_eq!(method, Method::PATCH, "batches have no replacement");
            let body = json!({ "ids": message.ids, "changes": changes });
            batch(&message.user_id, "update", &body, &message.request_id)
        }
        "BatchCompleteTasks" => {
            let BatchCompleteTasksRequest { user_id, ids, request_id } = decoded(message);
            batch(&user_id, "complete", &json!({ "ids": ids }), &request_id)
        }
        "BatchDeleteTasks" => {
            let BatchDeleteTasksRequest { user_id, ids, request_id } = decoded(message);
            batch(&user_id, "delete", &json!({ "ids": ids }), &request_id)
        }
        "ExportTasks" => {
            let ExportTasksRequest { user_id, .. } = decoded(message);
            HttpRequest::new(Method::GET, &format!("{}/export", collection(&user_id)))
        }
        _ => panic!("{rpc} has no route that this adapter knows"),
    };
    let reply = call.send(asked).await;
    assert_surrounded(&reply);
    if !reply.status.is_success() {
        assert_typed(&reply, JSON);
        return Err(problem::status(&reply, &[]));
    }
    if rpc == "ExportTasks" {
        return Ok(import_export::exported(&reply).encode_to_vec());
    }
    assert_typed(&reply, JSON);
    Ok(match rpc {
        "BatchCreateTasks" => {
            BatchCreateTasksResponse { tasks: tasks(&reply, StatusCode::CREATED) }.encode_to_vec()
        }
        "BatchUpdateTasks" => {
            BatchUpdateTasksResponse { tasks: tasks(&reply, StatusCode::OK) }.encode_to_vec()
        }
        "BatchCompleteTasks" => {
            BatchCompleteTasksResponse { tasks: tasks(&reply, StatusCode::OK) }.encode_to_vec()
        }
        _ => {
            assert_eq!(reply.status, StatusCode::NO_CONTENT);
            BatchDeleteTasksResponse {}.encode_to_vec()
        }
    })
}

fn batch(user_id: &str, what: &str, body: &Value, request_id: &str) -> HttpRequest {
    let path = format!("{}/batch/{what}", collection(user_id));
    once(HttpRequest::new(Method::POST, &path).json(body), request_id)
}

fn tasks(reply: &Reply, status: StatusCode) -> Vec<Task> {
    assert_eq!(reply.status, status, "{reply:?}");
    reply.json().as_array().expect("a bare list").iter().map(task::read).collect()
}
