//! All tasks of a user, out and in again.

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt;
use http::{HeaderMap, StatusCode, header};
use proto::task::v1::{self as pb, Task};
use serde::Deserialize;
use server::{
    ClientInfo, StreamKind,
    http::{Line, Lines, LinesLimits, Problem, json},
};
use tonic::Status;
use utoipa::IntoParams;

use super::{
    Rpcs,
    caller::Caller,
    problems::{Refusals, RefusalsWithLines},
    requests::OfUser,
    responses::problem,
};
use crate::{import::MAX_BYTES, wire};

/// The longest line: the largest task fits, however JSON has to spell it.
const MAX_LINE: usize = 128 * 1024;

/// So many lines are read before others on the same thread get their turn: while there are
/// some, none of them needs to wait for anything.
const AT_A_TIME: u64 = 16;

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
pub async fn export(State(mut rpcs): State<Rpcs>, caller: Caller) -> Result<Response, Problem> {
    let message = pb::ExportTasksRequest { user_id: caller.user_id.clone(), everything: false };
    let pages = rpcs.bulk.export_tasks(caller.call(message)).await.map_err(problem)?;
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

/// How to import.
#[derive(Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct How {
    /// Only tell what would happen.
    #[param(required = false)]
    dry_run: bool,
}

/// Store the tasks of an export, all of them or none.
///
/// One task a line, up to 200 000 lines and 256 MiB. A line may leave out all but its
/// `title`; `user_id` and `etag` are not looked at. A task whose `id` is there already, in
/// the trash too, is left alone, as is one whose place in its series is taken: so an import
/// with ids is safe to repeat.
#[utoipa::path(
    post, path = "/api/{user_id}/tasks/import", tag = "batches", operation_id = "importTasks",
    request_body(content = Task, content_type = "application/x-ndjson"),
    params(OfUser, How),
    responses(
        (status = 200, description = "What happened, or would", body = pb::ImportTasksResponse),
        RefusalsWithLines,
    ),
    security(("access_token" = [])),
)]
pub async fn import(
    State(rpcs): State<Rpcs>,
    caller: Caller<How>,
    client: Option<Extension<ClientInfo>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let How { dry_run } = caller.query;
    let limits = LinesLimits { line: MAX_LINE, ..LinesLimits::of_total(MAX_BYTES) };
    let mut lines = Lines::of(&headers, body, limits)?;
    let told = |error| problem(Status::from(error));
    let from = client.and_then(|Extension(client)| client.address());
    let mut import = rpcs.tasks.import(caller.owner, from, dry_run).map_err(told)?;
    while let Some(Line { number, text }) = lines.next().await? {
        let task = match json::line::<Task>(&text) {
            Ok(task) => wire::imported(task),
            Err(faults) => Err(faults.into_iter().map(|f| (f.field, f.message)).collect()),
        };
        let line = number as u64;
        if line.is_multiple_of(AT_A_TIME) {
            tokio::task::yield_now().await;
        }
        import.take(line, task).await.map_err(told)?;
    }
    let report = import.finish().await.map_err(told)?;
    Ok(json::answer(StatusCode::OK, &wire::report(report)))
}
