//! The route of the import: tasks as JSON lines.

use axum::{Extension, body::Body, extract::State, response::Response};
use http::{HeaderMap, StatusCode};
use proto::{
    members::{Member, Members, Slot},
    task::v1::{self as pb, Task},
};
use server::{
    ClientInfo,
    http::{Line, Lines, LinesLimits, Problem, json},
};
use tonic::Status;
use utoipa::IntoParams;

use super::{
    Guarded, caller::Caller, openapi::RefusalsWithLines, requests::OfUser, responses::problem,
};
use crate::{api::wire, domain::import::MAX_BYTES};

/// The longest line: the largest task fits, however JSON has to spell it.
const MAX_LINE: usize = 128 * 1024;

/// The number of lines after which the parser yields to other work on the thread.
const YIELD_EVERY: u64 = 16;

/// How to import.
#[derive(Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct How {
    /// Only tell what would happen.
    #[param(required = false)]
    dry_run: bool,
}

impl Members for How {
    fn members(&self) -> &'static [Member] {
        const { &[Member::new("dry_run", "dry_run")] }
    }

    fn slot(&mut self, _index: usize) -> Option<Slot<'_>> {
        Some(Slot::Switch(&mut self.dry_run))
    }
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
    State(Guarded { rpcs, .. }): State<Guarded>,
    caller: Caller<How>,
    client: Option<Extension<ClientInfo>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let How { dry_run } = caller.query;
    let limits = LinesLimits { line: MAX_LINE, ..LinesLimits::of_total(MAX_BYTES) };
    let mut lines = Lines::of(&headers, body, limits)?;
    let refusal = |error| problem(Status::from(error));
    let from = client.and_then(|Extension(client)| client.address());
    let mut import = rpcs.tasks().import(caller.owner, from, dry_run).map_err(refusal)?;
    while let Some(Line { number, text }) = lines.next().await? {
        let task = match json::line::<Task>(&text) {
            Ok(task) => wire::import_task(task),
            Err(faults) => Err(faults.into_iter().map(|f| (f.field, f.message)).collect()),
        };
        let line = number as u64;
        if line.is_multiple_of(YIELD_EVERY) {
            tokio::task::yield_now().await;
        }
        import.take(line, task).await.map_err(refusal)?;
    }
    let report = import.finish().await.map_err(refusal)?;
    Ok(json::answer(StatusCode::OK, &wire::import_report(report)))
}
