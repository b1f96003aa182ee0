//! The routes of batches.

use axum::{body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use proto::{
    members::Members,
    task::v1::{self as pb, Task, task_bulk_service_server::TaskBulkService},
};
use server::{
    MAX_BATCH_BYTES,
    http::{Problem, body, json},
};

use super::{
    Guarded,
    caller::Caller,
    openapi::{NoSuchTask, RefusalsWithBatch, Reused},
    preconditions::idempotency_key,
    requests::{BatchUpdate, IdempotencyKey, OfUser},
    responses::{no_content, problem},
};

/// Create up to 500 tasks, all of them or none.
///
/// With `Idempotency-Key` it is safe to repeat.
#[utoipa::path(
    post, path = "/api/{user_id}/tasks/batch/create", tag = "batches",
    operation_id = "batchCreateTasks",
    request_body = pb::BatchCreateTasksRequest,
    params(OfUser, IdempotencyKey),
    responses(
        (status = 201, description = "The stored tasks, in order", body = Vec<Task>),
        Reused,
        RefusalsWithBatch,
    ),
    security(("access_token" = [])),
)]
pub async fn create(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut message = read::<pb::BatchCreateTasksRequest>(&headers, body).await?;
    message.user_id.clone_from(&caller.user_id);
    message.request_id = idempotency_key(&headers)?;
    let answer = rpcs
        .batch_create_tasks(caller.call_up_to(message, MAX_BATCH_BYTES)?)
        .await
        .map_err(problem)?;
    Ok(json::answer(StatusCode::CREATED, &answer.into_inner().tasks))
}

/// Change the same members of up to 500 tasks, of all or of none.
///
/// In `changes` a member that is left out stays as it is; `null` puts it back to its
/// default.
#[utoipa::path(
    post, path = "/api/{user_id}/tasks/batch/update", tag = "batches",
    operation_id = "batchUpdateTasks",
    request_body = BatchUpdate,
    params(OfUser, IdempotencyKey),
    responses(
        (status = 200, description = "The tasks after the change, in order", body = Vec<Task>),
        NoSuchTask,
        Reused,
        RefusalsWithBatch,
    ),
    security(("access_token" = [])),
)]
pub async fn update(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut message = read::<pb::BatchUpdateTasksRequest>(&headers, body).await?;
    message.user_id.clone_from(&caller.user_id);
    message.request_id = idempotency_key(&headers)?;
    let answer = rpcs
        .batch_update_tasks(caller.call_up_to(message, MAX_BATCH_BYTES)?)
        .await
        .map_err(problem)?;
    Ok(json::answer(StatusCode::OK, &answer.into_inner().tasks))
}

/// Complete up to 500 tasks, all of them or none.
#[utoipa::path(
    post, path = "/api/{user_id}/tasks/batch/complete", tag = "batches",
    operation_id = "batchCompleteTasks",
    request_body = pb::BatchCompleteTasksRequest,
    params(OfUser, IdempotencyKey),
    responses(
        (status = 200, description = "The completed tasks, in order", body = Vec<Task>),
        NoSuchTask,
        Reused,
        RefusalsWithBatch,
    ),
    security(("access_token" = [])),
)]
pub async fn complete(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut message = read::<pb::BatchCompleteTasksRequest>(&headers, body).await?;
    message.user_id.clone_from(&caller.user_id);
    message.request_id = idempotency_key(&headers)?;
    let answer = rpcs
        .batch_complete_tasks(caller.call_up_to(message, MAX_BATCH_BYTES)?)
        .await
        .map_err(problem)?;
    Ok(json::answer(StatusCode::OK, &answer.into_inner().tasks))
}

/// Delete up to 500 tasks, all of them or none.
#[utoipa::path(
    post, path = "/api/{user_id}/tasks/batch/delete", tag = "batches",
    operation_id = "batchDeleteTasks",
    request_body = pb::BatchDeleteTasksRequest,
    params(OfUser, IdempotencyKey),
    responses(
        (status = 204, description = "The tasks are gone"),
        NoSuchTask,
        Reused,
        RefusalsWithBatch,
    ),
    security(("access_token" = [])),
)]
pub async fn delete(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let mut message = read::<pb::BatchDeleteTasksRequest>(&headers, body).await?;
    message.user_id.clone_from(&caller.user_id);
    message.request_id = idempotency_key(&headers)?;
    rpcs.batch_delete_tasks(caller.call_up_to(message, MAX_BATCH_BYTES)?).await.map_err(problem)?;
    Ok(no_content())
}

async fn read<T: Members + Default>(headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let text = body::json_up_to(headers, body, MAX_BATCH_BYTES).await?;
    json::object(&text)
}
