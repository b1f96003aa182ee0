//! The parameters and bodies of requests, as OpenAPI.

use std::borrow::Cow;

use proto::{schema::task_ids, task::v1::UpdateTaskRequest};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{ObjectBuilder, Ref, RefOr, Schema, schema::AdditionalProperties},
};

/// The path of a user's tasks.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a path, which `caller` reads")]
pub struct OfUser {
    /// The token's user
    user_id: String,
}

/// The path of a task.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a path, which `caller` reads")]
pub struct OfTask {
    /// The token's user
    user_id: String,
    /// The task
    id: String,
}

/// The precondition of a change.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header, which `preconditions` reads")]
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

/// The precondition of a read.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header, which `preconditions` reads")]
pub struct IfNoneMatch {
    /// The `ETag`s of the versions the caller has; `*` is any. Weak ones count.
    #[param(
        rename = "If-None-Match",
        required = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#
    )]
    if_none_match: String,
}

/// The idempotency key of a creation.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header, which `preconditions` reads")]
pub struct IdempotencyKey {
    /// 1 to 128 visible ASCII characters, chosen by the caller.
    #[param(rename = "Idempotency-Key", required = false, pattern = "^[!-~]{1,128}$")]
    idempotency_key: String,
}

/// The cursor of a client of server-sent events.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a header, which `preconditions` reads")]
pub struct LastEventId {
    /// The id of the last event; counts more than `sync_token`.
    #[param(rename = "Last-Event-ID", required = false)]
    last_event_id: String,
}

/// The body of a replacement, which must have `title`.
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

/// The body of a change, which must have at least one member.
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

/// The body of a batch update.
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
