//! What the door promises, as OpenAPI.

use std::{borrow::Cow, collections::BTreeMap};

use proto::{
    schema::task_ids,
    task::v1::{self as pb, UpdateTaskRequest},
};
use server::http::ProblemBody;
use utoipa::{
    IntoParams, IntoResponses, Modify, OpenApi, PartialSchema, ToSchema,
    openapi::{
        Content, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Schema,
        schema::AdditionalProperties,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{actions, batch, changes, counts, security_events, tasks, transfer, watch};

/// The document of the tasks door.
#[derive(OpenApi)]
#[openapi(
    paths(
        tasks::list,
        counts::count,
        tasks::create,
        tasks::get,
        tasks::replace,
        tasks::change,
        tasks::delete,
        actions::complete,
        actions::reorder,
        actions::skip,
        actions::undelete,
        changes::sync,
        watch::watch,
        batch::create,
        batch::update,
        batch::complete,
        batch::delete,
        transfer::export,
        transfer::import,
        security_events::list
    ),
    components(schemas(ProblemBody, pb::DeletedTask, pb::FiredReminder, pb::Heartbeat)),
    tags(
        (name = "tasks", description = "Each user's own tasks"),
        (name = "batches", description = "Many of them at once"),
        (name = "security", description = "What happened in a user's name"),
    ),
    modifiers(&AccessToken, &Growing)
)]
pub struct Api;

struct AccessToken;

impl Modify for AccessToken {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token from `GET /api/auth/token`"))
            .build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("access_token", SecurityScheme::Http(scheme));
    }
}

/// A task that is read is known member by member; one that is answered may have more one
/// day.
struct Growing;

impl Modify for Growing {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        if let Some(RefOr::T(Schema::Object(task))) = components.schemas.get_mut("Task") {
            task.additional_properties = None;
        }
    }
}

/// Whose tasks a path is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a path, which `caller` reads")]
pub struct OfUser {
    /// The token's user
    user_id: String,
}

/// Which task a path is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a path, which `caller` reads")]
pub struct OfTask {
    /// The token's user
    user_id: String,
    /// The task
    id: String,
}

/// The condition of a call about a task as it is.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header, which `conditions` reads")]
pub struct IfMatch {
    /// The `ETag`s of which the task must have one; `*` is any. A weak one (`W/`) matches
    /// never.
    #[param(
        rename = "If-Match",
        required = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#
    )]
    if_match: String,
}

/// The condition of a read.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header, which `conditions` reads")]
pub struct IfNoneMatch {
    /// The `ETag`s of the versions the caller has; `*` is any. Weak ones count.
    #[param(
        rename = "If-None-Match",
        required = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#
    )]
    if_none_match: String,
}

/// The key of a creation.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header, which `conditions` reads")]
pub struct IdempotencyKey {
    /// 1 to 128 visible ASCII characters, chosen by the caller.
    #[param(rename = "Idempotency-Key", required = false, pattern = "^[!-~]{1,128}$")]
    idempotency_key: String,
}

/// How far a reader of events has come.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header, which `conditions` reads")]
pub struct LastEventId {
    /// The id of the last event; counts more than `sync_token`.
    #[param(rename = "Last-Event-ID", required = false)]
    last_event_id: String,
}

/// The members of an update, of which a replacement must have `title`.
pub struct Replacement;

impl ToSchema for Replacement {
    fn name() -> Cow<'static, str> {
        "Replacement".into()
    }
}

impl PartialSchema for Replacement {
    fn schema() -> RefOr<Schema> {
        let mut schema = UpdateTaskRequest::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.description =
                Some("A whole task; what is left out gets its default.".to_owned());
            object.required = vec!["title".to_owned()];
        }
        schema
    }
}

/// The same members, of which a change must have at least one.
pub struct Changes;

impl ToSchema for Changes {
    fn name() -> Cow<'static, str> {
        "Changes".into()
    }
}

impl PartialSchema for Changes {
    fn schema() -> RefOr<Schema> {
        let mut schema = UpdateTaskRequest::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.description = Some("What to change; `null` puts a default back.".to_owned());
            object.min_properties = Some(1);
        }
        schema
    }
}

/// The same change of several tasks.
pub struct BatchUpdate;

impl ToSchema for BatchUpdate {
    fn name() -> Cow<'static, str> {
        "BatchUpdate".into()
    }
}

impl PartialSchema for BatchUpdate {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .description(Some("The same change of several tasks."))
            .property("ids", task_ids())
            .required("ids")
            .property("changes", Ref::from_schema_name(Changes::name()))
            .required("changes")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .into()
    }
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

/// What any call can be refused with.
pub struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(ALWAYS.iter())
    }
}

/// What a call with a body can be refused with.
pub struct RefusalsWithBody;

impl IntoResponses for RefusalsWithBody {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(ALWAYS.iter().chain(&WITH_BODY))
    }
}

/// What a call with a batch can be refused with.
pub struct RefusalsWithBatch;

impl IntoResponses for RefusalsWithBatch {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(ALWAYS.iter().chain(&WITH_BATCH))
    }
}

/// What a call with lines can be refused with.
pub struct RefusalsWithLines;

impl IntoResponses for RefusalsWithLines {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(ALWAYS.iter().chain(&WITH_LINES))
    }
}

/// What a call is refused with whose key was used.
pub struct Reused;

impl IntoResponses for Reused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([("409", "The key was used for something else, or what it made is gone")].iter())
    }
}

/// What a call about a task that is not there is refused with.
pub struct NoSuchTask;

impl IntoResponses for NoSuchTask {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems([("404", "The user has no such task")].iter())
    }
}

/// What a reader is refused with whose token is too old to go on from.
pub struct TooOld;

impl IntoResponses for TooOld {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(
            [("410", "What came after the token is not known any more: start over without")].iter(),
        )
    }
}

/// What a change that comes too late is refused with.
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
