//! How the messages of tasks are JSON (see `src/proto/json.rs`), and what OpenAPI says of
//! them: attributes on the generated types, so that there is no second set.

use tonic_prost_build::Builder;

const PACKAGE: &str = "task.v1";

const TYPES: [(&str, &str); 6] = [
    ("Priority", "#[derive(::serde::Serialize, ::utoipa::ToSchema)]"),
    ("Priority", r#"#[serde(rename_all = "lowercase")]"#),
    ("Task", "#[derive(::serde::Serialize, ::utoipa::ToSchema)]"),
    ("CreateTaskRequest", FROM_JSON),
    ("UpdateTaskRequest", FROM_JSON),
    (
        "ListTasksRequest",
        "#[derive(::serde::Deserialize, ::utoipa::IntoParams)]
         #[serde(deny_unknown_fields)]
         #[into_params(parameter_in = Query)]",
    ),
];

const FROM_JSON: &str = "#[derive(::serde::Deserialize, ::utoipa::ToSchema)]
                         #[serde(deny_unknown_fields)]";

/// The path or a header carries it, so it is no member.
const SKIPPED: &str = "#[serde(skip)]";

const MOMENT: &str = r#"#[serde(serialize_with = "crate::proto::json::moment")]"#;
const TEXT: &str = r#"#[serde(default, deserialize_with = "crate::proto::json::text")]"#;

/// Trimmed it is not empty, and inside it has no control character.
const TITLE: &str = r#"#[schema(
    value_type = String, min_length = 1, max_length = 200,
    pattern = r"^\s*[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?\s*$",
)]"#;
const DESCRIPTION: &str = r#"#[schema(
    value_type = Option<String>, max_length = 10000, pattern = r"^[^\x00]*$",
)]"#;

const FIELDS: [(&str, &[&str]); 20] = [
    ("Task.completed_at", &[MOMENT, "#[schema(value_type = Option<String>, format = DateTime)]"]),
    ("Task.created_at", &[MOMENT, "#[schema(value_type = String, format = DateTime)]"]),
    ("Task.updated_at", &[MOMENT, "#[schema(value_type = String, format = DateTime)]"]),
    (
        "Task.priority",
        &[
            r#"#[serde(serialize_with = "crate::proto::json::priority_name")]"#,
            "#[schema(value_type = Priority)]",
        ],
    ),
    ("CreateTaskRequest.user_id", &[SKIPPED]),
    ("CreateTaskRequest.request_id", &[SKIPPED]),
    ("CreateTaskRequest.title", &[TEXT, "#[schema(required = true)]", TITLE]),
    ("CreateTaskRequest.description", &[TEXT, DESCRIPTION]),
    (
        "CreateTaskRequest.priority",
        &[
            r#"#[serde(default, deserialize_with = "crate::proto::json::priority")]"#,
            "#[schema(value_type = Option<Priority>)]",
        ],
    ),
    ("UpdateTaskRequest.user_id", &[SKIPPED]),
    ("UpdateTaskRequest.id", &[SKIPPED]),
    ("UpdateTaskRequest.update_mask", &[SKIPPED]),
    ("UpdateTaskRequest.etag", &[SKIPPED]),
    ("UpdateTaskRequest.title", &["#[schema(required = false)]", TITLE]),
    ("UpdateTaskRequest.description", &[DESCRIPTION]),
    (
        "UpdateTaskRequest.priority",
        &[
            r#"#[serde(default, deserialize_with = "crate::proto::json::optional_priority")]"#,
            "#[schema(value_type = Option<Priority>)]",
        ],
    ),
    ("ListTasksRequest.user_id", &[SKIPPED]),
    (
        "ListTasksRequest.page_size",
        &[r#"#[serde(default, alias = "pageSize")]"#, "#[param(minimum = 0, required = false)]"],
    ),
    (
        "ListTasksRequest.page_token",
        &[r#"#[serde(default, alias = "pageToken")]"#, "#[param(required = false)]"],
    ),
    (
        "ListTasksRequest.include_total",
        &[r#"#[serde(default, alias = "includeTotal")]"#, "#[param(required = false)]"],
    ),
];

/// Puts the attributes on the types that are about to be generated.
pub fn attributes(mut builder: Builder) -> Builder {
    for (name, attribute) in TYPES {
        builder = builder.type_attribute(format!("{PACKAGE}.{name}"), attribute);
    }
    for (field, attributes) in FIELDS {
        for attribute in attributes {
            builder = builder.field_attribute(format!("{PACKAGE}.{field}"), attribute);
        }
    }
    builder.field_attribute(format!("{PACKAGE}.Priority.PRIORITY_UNSPECIFIED"), SKIPPED)
}
