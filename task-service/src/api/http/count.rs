//! The route of counts.

use std::mem::take;

use axum::{extract::State, response::Response};
use http::StatusCode;
use proto::task::v1::{self as pb, task_service_server::TaskService};
use server::http::{Problem, json};

use super::{Guarded, caller::Caller, openapi::Refusals, requests::OfUser, responses::problem};

/// Count tasks by state, priority and tag.
///
/// Takes the filters of the list.
#[utoipa::path(
    get, path = "/api/{user_id}/tasks/counts", tag = "tasks", operation_id = "countTasks",
    params(OfUser, pb::CountTasksRequest),
    responses(
        (status = 200, description = "How many tasks pass, all counted at the same moment; \
            `partial` if only the newest were counted",
            body = pb::CountTasksResponse),
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn count(
    State(Guarded { rpcs, .. }): State<Guarded>,
    mut caller: Caller<pb::CountTasksRequest>,
) -> Result<Response, Problem> {
    let mut message = take(&mut caller.query);
    message.user_id.clone_from(&caller.user_id);
    let answer = rpcs.count_tasks(caller.call(message)?).await.map_err(problem)?;
    Ok(json::answer(StatusCode::OK, &answer.into_inner()))
}
