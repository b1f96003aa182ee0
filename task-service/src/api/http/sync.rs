//! The route of the sync.

use std::mem::take;

use axum::{extract::State, response::Response};
use http::StatusCode;
use proto::task::v1::{self as pb, task_service_server::TaskService};
use server::http::{Problem, json};

use super::{
    Guarded,
    caller::Caller,
    openapi::{Refusals, TooOld},
    requests::OfUser,
    responses::problem,
};

/// Read what has changed since a token.
///
/// Without `sync_token` all there is; then `next_sync_token` as it came. Ask again at once
/// while `more` is true.
#[utoipa::path(
    get, path = "/api/{user_id}/tasks/sync", tag = "tasks", operation_id = "syncTasks",
    params(OfUser, pb::SyncTasksRequest),
    responses(
        (status = 200, description = "What has changed, oldest change first",
            body = pb::SyncTasksResponse),
        TooOld,
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn sync(
    State(Guarded { rpcs, .. }): State<Guarded>,
    mut caller: Caller<pb::SyncTasksRequest>,
) -> Result<Response, Problem> {
    let mut message = take(&mut caller.query);
    message.user_id.clone_from(&caller.user_id);
    let answer = rpcs.sync_tasks(caller.call(message)?).await.map_err(problem)?;
    Ok(json::answer(StatusCode::OK, &answer.into_inner()))
}
