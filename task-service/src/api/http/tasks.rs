//! The routes of tasks: create, list, get, replace, change, delete.

use std::{mem::take, sync::Arc};

use axum::{
    body::Body,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use prost_types::FieldMask;
use proto::task::v1::{self as pb, Task, task_service_server::TaskService};
use server::http::{NoParameters, Problem, body, json};
use shared::error::Refusal;

use super::{
    Guarded,
    caller::Caller,
    openapi::{NoSuchTask, Refusals, RefusalsWithBody, Reused, Stale, TooOld},
    preconditions::{ChangePreconditions, ReadPreconditions, idempotency_key, tag},
    requests::{Changes, IdempotencyKey, IfMatch, IfNoneMatch, OfTask, OfUser, Replacement},
    responses::{collection, next, no_content, problem, task_or_nothing, with_task},
};
use crate::api::grpc;

/// Create a task.
///
/// With `Idempotency-Key` it is safe to repeat: for 24 hours the same key with the same body
/// returns the task it made first.
#[utoipa::path(
    post, path = "/api/{user_id}/tasks", tag = "tasks", operation_id = "createTask",
    request_body = pb::CreateTaskRequest,
    params(OfUser, IdempotencyKey),
    responses(
        (status = 201, description = "The stored task", body = Task, headers(
            ("Location" = String, description = "Where it is"),
            ("ETag" = String, description = "Its version"),
        )),
        Reused,
        RefusalsWithBody,
    ),
    security(("access_token" = [])),
)]
pub async fn create(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = body::json(&headers, body).await?;
    let mut message: pb::CreateTaskRequest = json::object(&body)?;
    message.user_id.clone_from(&caller.user_id);
    message.request_id = idempotency_key(&headers)?;
    let answer = rpcs.create_task(caller.call(message)?).await.map_err(problem)?;
    let Some(task) = answer.into_inner().task else { return Ok(no_content()) };
    let location = format!("{}/{}", collection(&task.user_id), task.id);
    Ok(([(header::LOCATION, location)], with_task(StatusCode::CREATED, &task)).into_response())
}

/// List tasks that pass every filter, newest first unless `sort` says otherwise.
///
/// A list of values is given by its name several times: `priorities=high&priorities=urgent`.
/// The body is the bare list. `Link` with `rel="next"` leads to the next page; it is absent
/// on the last one alone, even if this page is short or empty.
#[utoipa::path(
    get, path = "/api/{user_id}/tasks", tag = "tasks", operation_id = "listTasks",
    params(OfUser, pb::ListTasksRequest),
    responses(
        (status = 200, description = "A page of tasks", body = Vec<Task>, headers(
            ("Link" = Option<String>, description = "The next page, if there is one"),
            ("X-Total-Count" = Option<i64>, description = "How many there are on all pages, \
                if `include_total` asked and if it is known"),
        )),
        TooOld,
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn list(
    State(Guarded { rpcs, .. }): State<Guarded>,
    mut caller: Caller<pb::ListTasksRequest>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let mut message = take(&mut caller.query);
    message.user_id.clone_from(&caller.user_id);
    let path = collection(&caller.user_id);
    let page = rpcs.list_tasks(caller.call(message)?).await.map_err(problem)?.into_inner();
    let mut response = json::answer(StatusCode::OK, &page.tasks);
    if let Some(total) = page.total_size {
        response.headers_mut().insert("x-total-count", total.into());
    }
    if !page.next_page_token.is_empty()
        && let Ok(link) = HeaderValue::try_from(next(&path, &query, &page.next_page_token))
    {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// Read a task.
#[utoipa::path(
    get, path = "/api/{user_id}/tasks/{id}", tag = "tasks", operation_id = "getTask",
    params(OfTask, IfMatch, IfNoneMatch),
    responses(
        (status = 200, description = "The task", body = Task,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "The caller has this version"),
        NoSuchTask,
        Stale,
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn get(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller<NoParameters, ReadPreconditions>,
) -> Result<Response, Problem> {
    let (user_id, id) = (caller.user_id.clone(), caller.id.clone());
    let message = pb::GetTaskRequest { user_id, id };
    let answer = rpcs.get_task(caller.call(message)?).await.map_err(problem)?;
    let task = answer.into_inner().task;
    match task {
        Some(task) if caller.preconditions.if_match_fails(&task.etag) => {
            Err(Problem::from(Refusal::StaleEtag))
        }
        Some(task) if caller.preconditions.if_none_match_has(&task.etag) => {
            Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag(&task.etag))]).into_response())
        }
        task => Ok(task_or_nothing(task)),
    }
}

/// Replace a task.
///
/// A member that is left out gets its default; `title` has none.
#[utoipa::path(
    put, path = "/api/{user_id}/tasks/{id}", tag = "tasks", operation_id = "replaceTask",
    request_body = Replacement,
    params(OfTask, IfMatch),
    responses(
        (status = 200, description = "The task after the change", body = Task,
            headers(("ETag" = String, description = "Its version"))),
        NoSuchTask,
        Stale,
        RefusalsWithBody,
    ),
    security(("access_token" = [])),
)]
pub async fn replace(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller<NoParameters, ChangePreconditions>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = body::json(&headers, body).await?;
    let mut message: pb::UpdateTaskRequest = json::object(&body)?;
    message.update_mask = Some(FieldMask { paths: vec!["*".to_owned()] });
    update(rpcs, caller, message).await
}

/// Change some members of a task.
///
/// A member that is left out stays as it is; `null` puts it back to its default.
#[utoipa::path(
    patch, path = "/api/{user_id}/tasks/{id}", tag = "tasks", operation_id = "updateTask",
    request_body = Changes,
    params(OfTask, IfMatch),
    responses(
        (status = 200, description = "The task after the change", body = Task,
            headers(("ETag" = String, description = "Its version"))),
        NoSuchTask,
        Stale,
        RefusalsWithBody,
    ),
    security(("access_token" = [])),
)]
pub async fn change(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller<NoParameters, ChangePreconditions>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = body::json(&headers, body).await?;
    update(rpcs, caller, json::object(&body)?).await
}

async fn update(
    rpcs: Arc<grpc::Rpcs>,
    caller: Caller<NoParameters, ChangePreconditions>,
    mut message: pb::UpdateTaskRequest,
) -> Result<Response, Problem> {
    message.user_id.clone_from(&caller.user_id);
    message.id.clone_from(&caller.id);
    message.etag.clone_from(&caller.preconditions.etag);
    let answer = rpcs.update_task(caller.call(message)?).await;
    let answer = answer.map_err(|status| caller.preconditions.problem(status))?;
    Ok(task_or_nothing(answer.into_inner().task))
}

/// Delete a task.
#[utoipa::path(
    delete, path = "/api/{user_id}/tasks/{id}", tag = "tasks", operation_id = "deleteTask",
    params(OfTask, IfMatch),
    responses(
        (status = 204, description = "The task is gone"),
        NoSuchTask,
        Stale,
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn delete(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller<NoParameters, ChangePreconditions>,
) -> Result<Response, Problem> {
    let (user_id, id) = (caller.user_id.clone(), caller.id.clone());
    let message = pb::DeleteTaskRequest { user_id, id, etag: caller.preconditions.etag.clone() };
    let answer = rpcs.delete_task(caller.call(message)?).await;
    answer.map_err(|status| caller.preconditions.problem(status))?;
    Ok(no_content())
}
