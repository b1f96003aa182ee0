//! The HTTP API of tasks as JSON: each route is an in-process client of the guarded rpcs.
//!
//! It only maps HTTP to rpcs: routes, headers, status codes. The import alone feeds the store
//! itself, with the owner from the gate, because its faults have line numbers.

mod actions;
mod batch;
mod caller;
mod count;
mod export;
mod import;
mod openapi;
mod preconditions;
mod requests;
mod responses;
mod security_events;
mod sync;
mod tasks;
mod watch;

use axum::{
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use http::{Method, StatusCode};
use proto::task::v1::{
    task_bulk_service_client::TaskBulkServiceClient, task_service_client::TaskServiceClient,
};
use server::{
    http::{HttpRouter, Problem, Route},
    routes,
};
use shared::auth::Gate;

use crate::{
    api::grpc::{Guarded, GuardedBulk},
    store::Tasks,
};

/// The route of the upload.
pub const UPLOAD: &str = "/api/{user_id}/tasks/import";

/// The state of the routes: the gate, to refuse before a body is read, and the rpcs behind the same
/// gate.
#[derive(Clone)]
struct Rpcs {
    gate: Gate,
    client: TaskServiceClient<Guarded>,
    bulk: TaskBulkServiceClient<GuardedBulk>,
    /// For imports, whose faults have line numbers.
    tasks: Tasks,
}

/// The routes of the services, which are behind `gate` already.
pub fn router(gate: Gate, service: Guarded, bulk: GuardedBulk, tasks: Tasks) -> HttpRouter {
    let client = TaskServiceClient::new(service);
    // Responses are already bounded by the service.
    let bulk = TaskBulkServiceClient::new(bulk).max_decoding_message_size(usize::MAX);
    let rpcs = Rpcs { gate, client, bulk, tasks };
    let http_router = Route::router(&routes(), MethodRouter::new)
        .method_not_allowed_fallback(other_method)
        .with_state(rpcs);
    HttpRouter {
        prefix: "/api/",
        routes: http_router,
        refusal: Problem::into_response,
        api: Box::new(|| openapi::document(&routes())),
    }
}

/// The routes, a row each: the router and the OpenAPI document are made from this list.
fn routes() -> Vec<Route<Rpcs>> {
    routes![
        tasks::list,
        count::count,
        tasks::create,
        tasks::get,
        tasks::replace,
        tasks::change,
        tasks::delete,
        actions::complete,
        actions::move_task,
        actions::skip,
        actions::undelete,
        sync::sync,
        watch::watch,
        batch::create,
        batch::update,
        batch::complete,
        batch::delete,
        export::export,
        import::import,
        security_events::list,
    ]
}

/// The response to other methods; OPTIONS gets `Allow` alone, which the router adds here too.
async fn other_method(method: Method) -> Response {
    match method {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => Problem::method_not_allowed().into_response(),
    }
}

#[cfg(test)]
mod tests;
