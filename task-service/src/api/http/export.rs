//! The route of the export: all tasks of a user as JSON lines.

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt;
use http::header;
use proto::task::v1::{self as pb, Task, task_bulk_service_server::TaskBulkService};
use server::{StreamKind, http::Problem};

use super::{Guarded, caller::Caller, openapi::Refusals, requests::OfUser, responses::problem};

/// Read all tasks, oldest first.
///
/// One task a line, each as it is when it is its turn; tasks in the trash are left out. An
/// export that has begun goes on when its token expires. One that is cut off ends without
/// the last chunk, which HTTP clients take for an error.
#[utoipa::path(
    get, path = "/api/{user_id}/tasks/export", tag = "batches", operation_id = "exportTasks",
    params(OfUser),
    responses(
        (status = 200, description = "The tasks, one a line", body = Task,
            content_type = "application/x-ndjson"),
        Refusals,
    ),
    security(("access_token" = [])),
)]
pub async fn export(
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller,
) -> Result<Response, Problem> {
    let message = pb::ExportTasksRequest { user_id: caller.user_id.clone(), everything: false };
    let pages = rpcs.export_tasks(caller.call(message)?).await.map_err(problem)?;
    let lines = pages.into_inner().map_ok(|page| lines(&page.tasks));
    let disposition = "attachment; filename=\"tasks.jsonl\"";
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((Extension(StreamKind::Export), headers, Body::from_stream(lines)).into_response())
}

fn lines(tasks: &[Task]) -> Bytes {
    let mut text = Vec::with_capacity(tasks.len() * 512);
    for task in tasks {
        // A message with text as the names of its members always serialises.
        if serde_json::to_writer(&mut text, task).is_ok() {
            text.push(b'\n');
        }
    }
    text.into()
}
