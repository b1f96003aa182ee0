//! The routes of actions on a task: complete, move, skip, undelete.

use axum::{body::Body, extract::State, response::Response};
use http::HeaderMap;
use proto::{
    members::{Member, Members, Slot},
    task::v1::{self as pb, Task, task_service_server::TaskService},
};
use server::http::{NoParameters, Problem, body, json};
use utoipa::ToSchema;

use super::{
    Guarded,
    caller::Caller,
    openapi::{NoSuchTask, Refusals, RefusalsWithBody, Stale},
    preconditions::ChangePreconditions,
    requests::{IfMatch, OfTask},
    responses::task_or_nothing,
};

/// Which state to put a task into.
#[derive(Default, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Completion {
    /// `true` completes, `false` reopens; left out, the state is toggled.
    completed: Option<bool>,
}

impl Members for Completion {
    fn members(&self) -> &'static [Member] {
        const { &[Member::new("completed", "completed")] }
    }

    fn slot(&mut self, _index: usize) -> Option<Slot<'_>> {
        Some(Slot::Switch(&mut self.completed))
    }
}

/// Complete a task, reopen it, or toggle it.
///
/// Without a body it toggles, and a repeat undoes it; `{"completed": true}` is safe to
/// repeat.
#[utoipa::path(
    patch, path = "/api/{user_id}/tasks/{id}/complete", tag = "tasks",
    operation_id = "completeTask",
    request_body = Option<Completion>,
    params(OfTask, IfMatch),
    responses(
        (status = 200, description = "The task in its new state", body = Task,
            headers(("ETag" = String, description = "Its version"))),
        NoSuchTask,
        Stale,
        RefusalsWithBody,
    ),
    security(("access_token" = [])),
)]
pub async fn complete(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller<NoParameters, ChangePreconditions>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = body::optional_json(&headers, body).await?;
    let wanted = body.map(|body| json::object::<Completion>(&body)).transpose()?;
    let (user_id, id) = (caller.user_id.clone(), caller.id.clone());
    let etag = caller.preconditions.etag.clone();
    let refused = |status| caller.preconditions.problem(status);
    let task = match wanted.and_then(|given| given.completed) {
        None => {
            let call = caller.call(pb::ToggleTaskRequest { user_id, id, etag })?;
            rpcs.toggle_task(call).await.map_err(refused)?.into_inner().task
        }
        Some(true) => {
            let call = caller.call(pb::CompleteTaskRequest { user_id, id, etag })?;
            rpcs.complete_task(call).await.map_err(refused)?.into_inner().task
        }
        Some(false) => {
            let call = caller.call(pb::ReopenTaskRequest { user_id, id, etag })?;
            rpcs.reopen_task(call).await.map_err(refused)?.into_inner().task
        }
    };
    Ok(task_or_nothing(task))
}

/// Move a task in the order the user gave.
///
/// Right before or right after another task; without either, to the end.
#[utoipa::path(
    post, path = "/api/{user_id}/tasks/{id}/move", tag = "tasks", operation_id = "moveTask",
    request_body = pb::MoveTaskRequest,
    params(OfTask, IfMatch),
    responses(
        (status = 200, description = "The task in its new place", body = Task,
            headers(("ETag" = String, description = "Its version"))),
        NoSuchTask,
        Stale,
        RefusalsWithBody,
    ),
    security(("access_token" = [])),
)]
pub async fn move_task(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller<NoParameters, ChangePreconditions>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = body::json(&headers, body).await?;
    let mut message: pb::MoveTaskRequest = json::object(&body)?;
    message.user_id.clone_from(&caller.user_id);
    message.id.clone_from(&caller.id);
    message.etag.clone_from(&caller.preconditions.etag);
    let answer = rpcs.move_task(caller.call(message)?).await;
    let answer = answer.map_err(|status| caller.preconditions.problem(status))?;
    Ok(task_or_nothing(answer.into_inner().task))
}

/// Move a task that repeats on to its next occurrence, without completing it.
#[utoipa::path(
    post, path = "/api/{user_id}/tasks/{id}/skip", tag = "tasks", operation_id = "skipTask",
    params(OfTask, IfMatch),
    responses(
        (status = 200, description = "The task at its next occurrence", body = Task,
            headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "The task does not repeat, is done, or was at its last \
            occurrence", body = server::http::ProblemBody),
        NoSuchTask,
        Stale,
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn skip(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller<NoParameters, ChangePreconditions>,
) -> Result<Response, Problem> {
    let (user_id, id) = (caller.user_id.clone(), caller.id.clone());
    let message = pb::SkipTaskRequest { user_id, id, etag: caller.preconditions.etag.clone() };
    let answer = rpcs.skip_task(caller.call(message)?).await;
    let answer = answer.map_err(|status| caller.preconditions.problem(status))?;
    Ok(task_or_nothing(answer.into_inner().task))
}

/// Take a task out of the trash.
#[utoipa::path(
    post, path = "/api/{user_id}/tasks/{id}/undelete", tag = "tasks",
    operation_id = "undeleteTask",
    params(OfTask, IfMatch),
    responses(
        (status = 200, description = "The task, as it was", body = Task,
            headers(("ETag" = String, description = "Its version"))),
        NoSuchTask,
        Stale,
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn undelete(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller<NoParameters, ChangePreconditions>,
) -> Result<Response, Problem> {
    let (user_id, id) = (caller.user_id.clone(), caller.id.clone());
    let message = pb::UndeleteTaskRequest { user_id, id, etag: caller.preconditions.etag.clone() };
    let answer = rpcs.undelete_task(caller.call(message)?).await;
    let answer = answer.map_err(|status| caller.preconditions.problem(status))?;
    Ok(task_or_nothing(answer.into_inner().task))
}
