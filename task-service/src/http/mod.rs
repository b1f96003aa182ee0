//! Tasks as JSON over HTTP: each route is a client of the guarded rpcs, in process.
//!
//! Nothing is decided here but how HTTP says it: which rpc, which headers, which status.

mod answer;
mod api;
mod caller;
mod conditions;
mod tasks;

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::{get, patch},
};
use http::{Method, StatusCode};
use shared::{
    auth::Gate,
    http::{Door, Problem},
    proto::task::v1::task_service_client::TaskServiceClient,
};
use utoipa::OpenApi;

use self::api::Api;
use crate::grpc::Guarded;

/// What the routes share: the gate, to refuse before a body is read, and the rpcs, which
/// are behind the same gate once more.
#[derive(Clone)]
struct Rpcs {
    gate: Gate,
    client: TaskServiceClient<Guarded>,
}

/// The door to `service`, which is behind `gate` already.
pub fn door(gate: Gate, service: Guarded) -> Door {
    let rpcs = Rpcs { gate, client: TaskServiceClient::new(service) };
    let routes = Router::new()
        .route("/api/{user_id}/tasks", get(tasks::list).post(tasks::create))
        .route(
            "/api/{user_id}/tasks/{id}",
            get(tasks::get).put(tasks::replace).patch(tasks::change).delete(tasks::delete),
        )
        .route("/api/{user_id}/tasks/{id}/complete", patch(tasks::complete))
        .method_not_allowed_fallback(other_method)
        .with_state(rpcs);
    Door { prefix: "/api/", routes, refusal: Problem::into_response, api: Box::new(Api::openapi) }
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
