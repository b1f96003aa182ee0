//! The route of the user's security events.

use std::mem::take;

use axum::{extract::State, response::Response};
use http::StatusCode;
use proto::task::v1::{self as pb, task_service_server::TaskService};
use server::http::{Problem, json};

use super::{Guarded, caller::Caller, openapi::Refusals, requests::OfUser, responses::problem};

/// Read what happened at this service in the user's name.
///
/// That are calls for what is another user's, at most one a minute. An event is listed
/// moments after it happened.
#[utoipa::path(
    get, path = "/api/{user_id}/security-events", tag = "security",
    operation_id = "listTaskSecurityEvents",
    params(OfUser, pb::ListSecurityEventsRequest),
    responses(
        (status = 200, description = "The events, newest first",
            body = pb::ListSecurityEventsResponse),
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn list(
    State(Guarded { rpcs, .. }): State<Guarded>,
    mut caller: Caller<pb::ListSecurityEventsRequest>,
) -> Result<Response, Problem> {
    let mut message = take(&mut caller.query);
    message.user_id.clone_from(&caller.user_id);
    let answer = rpcs.list_security_events(caller.call(message)?).await.map_err(problem)?;
    Ok(json::answer(StatusCode::OK, &answer.into_inner()))
}
