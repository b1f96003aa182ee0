//! OpenAPI of the routes: the document, and the statuses of refusals. The bodies of refusals are
//! made by [`server::http::Problem`].

use std::collections::BTreeMap;

use proto::task::v1 as pb;
use server::http::{ProblemBody, Route};
use utoipa::{
    IntoResponses, OpenApi, ToSchema,
    openapi::{
        Components, Content, Ref, RefOr, Response, ResponseBuilder, Schema,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::Guarded;

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
pub fn document(routes: &[Route<Guarded>]) -> utoipa::openapi::OpenApi {
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

const ALWAYS: [(&str, &str); 7] = [
    ("400", "Faulty fields, all of them in `errors`"),
    ("401", "No token, or not a valid one"),
    ("403", "The path is not the token's user's"),
    ("429", "Too much work in progress; see `Retry-After`"),
    ("500", "A fault of the service; the log knows it by `x-request-id`"),
    ("503", "The database is away or busy; see `Retry-After`"),
    ("507", "No room to store it (`STORAGE_FULL`), or the user's quota is used (`QUOTA_EXCEEDED`)"),
];

const WITH_BODY: [(&str, &str); 3] = [
    ("408", "The body did not arrive in time"),
    ("413", "The body is larger than 64 KiB"),
    ("415", "The body is not JSON"),
];

const WITH_BATCH: [(&str, &str); 3] = [
    ("408", "The body did not arrive in time"),
    ("413", "The body is larger than 1 MiB"),
    ("415", "The body is not JSON"),
];

const WITH_LINES: [(&str, &str); 3] = [
    ("408", "The body paused for too long"),
    ("413", "The body is larger than 256 MiB, or a line than 128 KiB"),
    ("415", "The body is not lines of JSON"),
];

/// The problems of any call.
pub struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(ALWAYS.iter())
    }
}

/// The problems of a call with a body.
pub struct RefusalsWithBody;

impl IntoResponses for RefusalsWithBody {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(ALWAYS.iter().chain(&WITH_BODY))
    }
}

/// The problems of a batch.
pub struct RefusalsWithBatch;

impl IntoResponses for RefusalsWithBatch {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(ALWAYS.iter().chain(&WITH_BATCH))
    }
}

/// The problems of a call with JSON lines.
pub struct RefusalsWithLines;

impl IntoResponses for RefusalsWithLines {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(ALWAYS.iter().chain(&WITH_LINES))
    }
}

/// The problem of a used idempotency key.
pub struct Reused;

impl IntoResponses for Reused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([("409", "The key was used for something else, or what it made is gone")].iter())
    }
}

/// The problem of an unknown task.
pub struct NoSuchTask;

impl IntoResponses for NoSuchTask {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([("404", "The user has no such task")].iter())
    }
}

/// The problem of a cursor that is too old.
pub struct TooOld;

impl IntoResponses for TooOld {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(
            [("410", "What came after the token is not known any more: start over without")].iter(),
        )
    }
}

/// The problem of a failed precondition.
pub struct Stale;

impl IntoResponses for Stale {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([("412", "The task is not at a version of `If-Match`")].iter())
    }
}

fn problems<'a>(
    statuses: impl Iterator<Item = &'a (&'static str, &'static str)>,
) -> BTreeMap<String, RefOr<Response>> {
    let body = Content::new(Some(Ref::from_schema_name(ProblemBody::name())));
    let problem = |(status, description): &(&str, &str)| {
        let response = ResponseBuilder::new()
            .description(*description)
            .content("application/json", body.clone());
        ((*status).to_owned(), RefOr::T(response.build()))
    };
    statuses.map(problem).collect()
}
