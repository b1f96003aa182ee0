//! Tasks as JSON over HTTP: each route is a client of the guarded rpcs, in process.
//!
//! Nothing is decided here but how HTTP says it: which rpc, which headers, which status.
//! One route is no client: the import feeds the store itself, with the owner that the gate
//! gave it, because a fault needs the number of its line.

mod actions;
mod answer;
mod api;
mod batch;
mod caller;
mod changes;
mod conditions;
mod counts;
mod security_events;
mod tasks;
mod transfer;
mod watch;

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::{get, patch, post},
};
use http::{Method, StatusCode};
use proto::task::v1::{
    task_bulk_service_client::TaskBulkServiceClient, task_service_client::TaskServiceClient,
};
use server::http::{HttpRouter, Problem};
use shared::auth::Gate;
use utoipa::OpenApi;

use self::api::Api;
use crate::{
    grpc::{Guarded, GuardedBulk},
    store::Tasks,
};

/// The route that is an upload.
pub const UPLOAD: &str = "/api/{user_id}/tasks/import";

/// What the routes share: the gate, to refuse before a body is read, and the rpcs, which
/// are behind the same gate once more.
#[derive(Clone)]
struct Rpcs {
    gate: Gate,
    client: TaskServiceClient<Guarded>,
    bulk: TaskBulkServiceClient<GuardedBulk>,
    /// For imports, whose faults have lines that no message knows.
    tasks: Tasks,
}

/// The door to the services, which are behind `gate` already.
pub fn door(gate: Gate, service: Guarded, bulk: GuardedBulk, tasks: Tasks) -> HttpRouter {
    let client = TaskServiceClient::new(service);
    // What the service says is as large as it may be.
    let bulk = TaskBulkServiceClient::new(bulk).max_decoding_message_size(usize::MAX);
    let rpcs = Rpcs { gate, client, bulk, tasks };
    let routes = Router::new()
        .route("/api/{user_id}/tasks", get(tasks::list).post(tasks::create))
        .route(
            "/api/{user_id}/tasks/{id}",
            get(tasks::get).put(tasks::replace).patch(tasks::change).delete(tasks::delete),
        )
        .route("/api/{user_id}/tasks/counts", get(counts::count))
        .route("/api/{user_id}/tasks/sync", get(changes::sync))
        .route("/api/{user_id}/tasks/export", get(transfer::export))
        .route(UPLOAD, post(transfer::import))
        .route("/api/{user_id}/tasks/batch/create", post(batch::create))
        .route("/api/{user_id}/tasks/batch/update", post(batch::update))
        .route("/api/{user_id}/tasks/batch/complete", post(batch::complete))
        .route("/api/{user_id}/tasks/batch/delete", post(batch::delete))
        .route("/api/{user_id}/tasks/watch", get(watch::watch))
        .route("/api/{user_id}/tasks/{id}/complete", patch(actions::complete))
        .route("/api/{user_id}/tasks/{id}/move", post(actions::reorder))
        .route("/api/{user_id}/tasks/{id}/skip", post(actions::skip))
        .route("/api/{user_id}/tasks/{id}/undelete", post(actions::undelete))
        .route("/api/{user_id}/security-events", get(security_events::list))
        .method_not_allowed_fallback(other_method)
        .with_state(rpcs);
    HttpRouter {
        prefix: "/api/",
        routes,
        refusal: Problem::into_response,
        api: Box::new(Api::openapi),
    }
}

/// OPTIONS is answered with `Allow` alone, which the router adds here too.
async fn other_method(method: Method) -> Response {
    match method {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => Problem::method_not_allowed().into_response(),
    }
}

#[cfg(test)]
mod tests;
