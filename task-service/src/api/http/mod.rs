//! The HTTP API of tasks as JSON: each route calls an rpc, with the principal from the gate.
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

use std::sync::Arc;

use axum::{
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use http::{Method, StatusCode};
use server::{
    http::{HttpRouter, Problem, Route},
    routes,
};
use shared::auth::Gate;

use crate::api::grpc;

/// The route of the upload.
pub const UPLOAD: &str = "/api/{user_id}/tasks/import";

/// The state of the routes: the gate, and the rpcs, which want its principal.
#[derive(Clone)]
struct Guarded {
    gate: Gate,
    rpcs: Arc<grpc::Rpcs>,
}

/// The routes of `rpcs` behind `gate`.
pub fn router(gate: Gate, rpcs: Arc<grpc::Rpcs>) -> HttpRouter {
    let routes = routes();
    HttpRouter {
        prefix: "/api/",
        guarded: Route::guarded(&routes),
        routes: Route::router(&routes, MethodRouter::new)
            .method_not_allowed_fallback(other_method)
            .with_state(Guarded { gate, rpcs }),
        refusal: Problem::into_response,
        api: Box::new(move || openapi::document(&routes)),
    }
}

/// The routes, a row each: the router and the OpenAPI document are made from this list.
fn routes() -> Vec<Route<Guarded>> {
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
