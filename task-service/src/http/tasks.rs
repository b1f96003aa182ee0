//! The routes of tasks.

use axum::{
    body::Body,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use prost_types::FieldMask;
use serde::Deserialize;
use shared::{
    http::{Problem, body, json},
    proto::task::v1::{self as pb, Task},
};
use utoipa::ToSchema;

use super::{
    Rpcs,
    answer::{collection, next, nothing, one, problem, said},
    api::{
        Changes, IdempotencyKey, IfMatch, IfNoneMatch, NoSuchTask, OfTask, OfUser, Refusals,
        RefusalsWithBody, Replacement, Stale,
    },
    caller::Caller,
    conditions::{idempotency_key, if_match, if_none_match, tag},
};

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
        (status = 409, description = "The key was used for another task, or the task it made is gone",
            body = shared::http::ProblemBody),
        RefusalsWithBody,
    ),
    security(("access_token" = [])),
)]
pub async fn create(
    State(mut rpcs): State<Rpcs>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = body::json(&headers, body).await?;
    let mut message: pb::CreateTaskRequest = json::object(&body)?.message;
    message.user_id.clone_from(&caller.user_id);
    message.request_id = idempotency_key(&headers)?;
    let answer = rpcs.client.create_task(caller.call(message)).await.map_err(problem)?;
    let Some(task) = answer.into_inner().task else { return Ok(nothing()) };
    let place = format!("{}/{}", collection(&task.user_id), task.id);
    Ok(([(header::LOCATION, place)], said(StatusCode::CREATED, &task)).into_response())
}

/// List tasks, newest first.
///
/// The body is the bare list. `Link` with `rel="next"` leads to the next page; it is absent
/// on the last one.
#[utoipa::path(
    get, path = "/api/{user_id}/tasks", tag = "tasks", operation_id = "listTasks",
    params(OfUser, pb::ListTasksRequest),
    responses(
        (status = 200, description = "A page of tasks", body = Vec<Task>, headers(
            ("Link" = Option<String>, description = "The next page, if there is one"),
            ("X-Total-Count" = Option<i64>, description = "How many there are on all pages, \
                if `include_total` asked"),
        )),
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn list(
    State(mut rpcs): State<Rpcs>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let mut message: pb::ListTasksRequest = json::query(&query.unwrap_or_default())?;
    let asked = message.clone();
    message.user_id.clone_from(&caller.user_id);
    let path = collection(&caller.user_id);
    let page = rpcs.client.list_tasks(caller.call(message)).await.map_err(problem)?.into_inner();
    let mut response = json::answer(StatusCode::OK, &page.tasks);
    if let Some(total) = page.total_size {
        response.headers_mut().insert("x-total-count", total.into());
    }
    if !page.next_page_token.is_empty()
        && let Ok(link) = HeaderValue::try_from(next(&path, &asked, &page.next_page_token))
    {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// Read a task.
#[utoipa::path(
    get, path = "/api/{user_id}/tasks/{id}", tag = "tasks", operation_id = "getTask",
    params(OfTask, IfNoneMatch),
    responses(
        (status = 200, description = "The task", body = Task,
            headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "The caller has this version"),
        NoSuchTask,
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn get(
    State(mut rpcs): State<Rpcs>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (user_id, id) = (caller.user_id.clone(), caller.id.clone());
    let message = pb::GetTaskRequest { user_id, id };
    let answer = rpcs.client.get_task(caller.call(message)).await.map_err(problem)?;
    let task = answer.into_inner().task;
    match task {
        Some(task) if if_none_match(&headers, &tag(&task.etag)) => {
            Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag(&task.etag))]).into_response())
        }
        task => Ok(one(task)),
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
    State(rpcs): State<Rpcs>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = body::json(&headers, body).await?;
    let given = json::object(&body)?;
    update(rpcs, caller, &headers, given.message, vec!["*".to_owned()]).await
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
    State(rpcs): State<Rpcs>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = body::json(&headers, body).await?;
    let given = json::object(&body)?;
    update(rpcs, caller, &headers, given.message, given.members).await
}

async fn update(
    mut rpcs: Rpcs,
    caller: Caller,
    headers: &HeaderMap,
    mut message: pb::UpdateTaskRequest,
    paths: Vec<String>,
) -> Result<Response, Problem> {
    message.user_id.clone_from(&caller.user_id);
    message.id.clone_from(&caller.id);
    message.update_mask = Some(FieldMask { paths });
    message.etag = if_match(headers)?;
    let answer = rpcs.client.update_task(caller.call(message)).await.map_err(problem)?;
    Ok(one(answer.into_inner().task))
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
    State(mut rpcs): State<Rpcs>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (user_id, id) = (caller.user_id.clone(), caller.id.clone());
    let message = pb::DeleteTaskRequest { user_id, id, etag: if_match(&headers)? };
    rpcs.client.delete_task(caller.call(message)).await.map_err(problem)?;
    Ok(nothing())
}

/// Which state to put a task into.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Completion {
    /// `true` completes, `false` reopens; left out, the state is toggled.
    completed: Option<bool>,
}

/// Complete a task, reopen it, or toggle it.
///
/// Without a body it toggles, and a repeat undoes it; `{"completed": true}` is safe to
/// repeat.
#[utoipa::path(
    patch, path = "/api/{user_id}/tasks/{id}/complete", tag = "tasks",
    operation_id = "completeTask",
    request_body = Option<Completion>,
    params(OfTask),
    responses(
        (status = 200, description = "The task in its new state", body = Task,
            headers(("ETag" = String, description = "Its version"))),
        NoSuchTask,
        RefusalsWithBody,
    ),
    security(("access_token" = [])),
)]
pub async fn complete(
    State(Rpcs { mut client, .. }): State<Rpcs>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = body::optional_json(&headers, body).await?;
    let wanted = body.map(|body| json::object::<Completion>(&body)).transpose()?;
    let (user_id, id) = (caller.user_id.clone(), caller.id.clone());
    let task = match wanted.and_then(|given| given.message.completed) {
        None => {
            let call = caller.call(pb::ToggleTaskRequest { user_id, id });
            client.toggle_task(call).await.map_err(problem)?.into_inner().task
        }
        Some(true) => {
            let call = caller.call(pb::CompleteTaskRequest { user_id, id });
            client.complete_task(call).await.map_err(problem)?.into_inner().task
        }
        Some(false) => {
            let call = caller.call(pb::ReopenTaskRequest { user_id, id });
            client.reopen_task(call).await.map_err(problem)?.into_inner().task
        }
    };
    Ok(one(task))
}
