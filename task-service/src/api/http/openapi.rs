//! The OpenAPI document of the routes.

use proto::task::v1 as pb;
use server::http::{ProblemBody, Route};
use utoipa::{
    OpenApi,
    openapi::{
        Components, RefOr, Schema,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::Rpcs;

/// The parts of the document beside the routes.
#[derive(OpenApi)]
#[openapi(
    components(schemas(ProblemBody, pb::DeletedTask, pb::FiredReminder, pb::Heartbeat)),
    tags(
        (name = "tasks", description = "Each user's own tasks"),
        (name = "batches", description = "Many of them at once"),
        (name = "security", description = "What happened in a user's name"),
    )
)]
struct Document;

/// The description of `routes`.
pub fn document(routes: &[Route<Rpcs>]) -> utoipa::openapi::OpenApi {
    let mut api = Route::describe(routes, Document::openapi());
    let components = api.components.get_or_insert_with(Components::new);
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token from `GET /api/auth/token`"));
    components.add_security_scheme("access_token", SecurityScheme::Http(token.build()));
    // Clients must accept new members in responses, so the schema does not forbid them.
    if let Some(RefOr::T(Schema::Object(task))) = components.schemas.get_mut("Task") {
        task.additional_properties = None;
    }
    api
}
