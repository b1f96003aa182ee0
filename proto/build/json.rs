//! The JSON form of task messages (see `src/json.rs`), and their OpenAPI schemas: attributes on
//! the generated types.

use tonic_prost_build::Builder;

const PACKAGE: &str = "task.v1";

const TO_JSON: &str = "#[derive(::serde::Serialize, ::utoipa::ToSchema)]";
const FROM_JSON: &str = "#[derive(::serde::Deserialize, ::utoipa::ToSchema)]
                         #[serde(deny_unknown_fields)]";
const BOTH_WAYS: &str = "#[derive(::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema)]
                         #[serde(deny_unknown_fields)]";
const FROM_QUERY: &str = "#[derive(::serde::Deserialize, ::utoipa::IntoParams)]
                          #[serde(deny_unknown_fields)]
                          #[into_params(parameter_in = Query)]";
const LOWERCASE: &str = r#"#[serde(rename_all = "lowercase")]"#;

const TYPES: [(&str, &str); 32] = [
    ("Priority", TO_JSON),
    ("Priority", LOWERCASE),
    ("RepeatFrom", TO_JSON),
    ("RepeatFrom", LOWERCASE),
    ("TaskSort", TO_JSON),
    ("TaskSort", LOWERCASE),
    ("Task", BOTH_WAYS),
    ("Reminder", BOTH_WAYS),
    ("Recurrence", BOTH_WAYS),
    ("DeletedTask", TO_JSON),
    ("CreateTaskRequest", FROM_JSON),
    ("UpdateTaskRequest", FROM_JSON),
    ("MoveTaskRequest", FROM_JSON),
    ("ListTasksRequest", FROM_QUERY),
    ("CountTasksRequest", FROM_QUERY),
    ("CountTasksResponse", TO_JSON),
    ("PriorityCount", TO_JSON),
    ("TagCount", TO_JSON),
    ("SyncTasksRequest", FROM_QUERY),
    ("SyncTasksResponse", TO_JSON),
    ("BatchCreateTasksRequest", FROM_JSON),
    ("BatchUpdateTasksRequest", FROM_JSON),
    ("BatchCompleteTasksRequest", FROM_JSON),
    ("BatchDeleteTasksRequest", FROM_JSON),
    ("ImportTasksResponse", TO_JSON),
    ("ImportFault", TO_JSON),
    ("WatchTasksRequest", FROM_QUERY),
    ("FiredReminder", TO_JSON),
    ("ListSecurityEventsRequest", FROM_QUERY),
    ("ListSecurityEventsResponse", TO_JSON),
    ("Heartbeat", TO_JSON),
    ("PastReminder", TO_JSON),
];

/// The attribute of a field in the path or a header, which is no member.
const SKIPPED: &str = "#[serde(skip)]";

const TIMESTAMP: &str = r#"#[serde(serialize_with = "crate::json::timestamp")]"#;
const TIMESTAMP_SCHEMA: &str = "#[schema(value_type = String, format = DateTime)]";
const OPTIONAL_TIMESTAMP: &str = "#[schema(value_type = Option<String>, format = DateTime)]";
const PARSE_TIMESTAMP: &str =
    r#"#[serde(default, deserialize_with = "crate::json::parse_timestamp")]"#;
const OR_DEFAULT: &str = r#"#[serde(default, deserialize_with = "crate::json::or_default")]"#;
const REQUIRED: &str = "#[schema(required = true)]";
const UP_TO_500: &str = "#[schema(min_items = 1, max_items = 500)]";
const IDS: &str = "#[schema(schema_with = crate::schema::task_ids)]";
const ABSENT_IF_NONE: &str = r#"#[serde(skip_serializing_if = "Option::is_none")]"#;

/// Trimmed it is not empty, and inside it has no control character.
const TITLE: &str = r#"#[schema(
    value_type = String, min_length = 1, max_length = 200,
    pattern = r"^\s*[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?\s*$",
)]"#;
const DESCRIPTION: &str = r#"#[schema(
    value_type = Option<String>, max_length = 10000, pattern = r"^[^\x00]*$",
)]"#;
const PRIORITY: &str = "#[schema(value_type = Option<Priority>)]";
const TAGS: &str = "#[schema(value_type = Option<Vec<crate::schema::Tag>>, max_items = 20)]";
const DATE: &str = "#[schema(value_type = Option<String>, format = Date)]";
const ZONE: &str = r#"#[schema(value_type = Option<String>, example = "Europe/Berlin")]"#;
const REMINDERS: &str = "#[schema(value_type = Option<Vec<Reminder>>, max_items = 10)]";
const PAGE_SIZE: [&str; 2] =
    [r#"#[serde(default, alias = "pageSize")]"#, "#[param(minimum = 0, required = false)]"];
const PAGE_TOKEN: [&str; 2] =
    [r#"#[serde(default, alias = "pageToken")]"#, "#[param(required = false)]"];
const SYNC_TOKEN: [&str; 2] =
    [r#"#[serde(default, alias = "syncToken")]"#, "#[param(required = false)]"];
const DUE_DATE: &str = r#"#[serde(alias = "dueDate")]"#;
const DUE_AT: &str = r#"#[serde(default, alias = "dueAt",
                                deserialize_with = "crate::json::parse_timestamp")]"#;
const DUE_ZONE: &str = r#"#[serde(alias = "dueZone")]"#;

const PRIORITY_NAME: [&str; 2] = [
    r#"#[serde(serialize_with = "crate::json::priority_name")]"#,
    "#[schema(value_type = Priority)]",
];
const TAG_LIST: &str =
    "#[param(value_type = Option<Vec<crate::schema::Tag>>, inline, max_items = 20,
             required = false)]";
const DAY: &str = "#[param(format = Date)]";

/// The filter parameters of lists and counts.
const FILTERS: [(&str, &[&str]); 9] = [
    (
        "priorities",
        &[
            r#"#[serde(default, deserialize_with = "crate::json::priorities")]"#,
            "#[param(value_type = Option<Vec<Priority>>, inline, required = false)]",
        ],
    ),
    ("tags_any", &[r#"#[serde(default, alias = "tagsAny")]"#, TAG_LIST]),
    ("tags_all", &[r#"#[serde(default, alias = "tagsAll")]"#, TAG_LIST]),
    ("tags_none", &[r#"#[serde(default, alias = "tagsNone")]"#, TAG_LIST]),
    ("due_from", &[r#"#[serde(alias = "dueFrom")]"#, DAY]),
    ("due_until", &[r#"#[serde(alias = "dueUntil")]"#, DAY]),
    ("has_due", &[r#"#[serde(alias = "hasDue")]"#]),
    (
        "text",
        &[
            "#[serde(default)]",
            // At most twenty words.
            r#"#[param(value_type = Option<String>, required = false, max_length = 200,
                pattern = r"^([\W_]*([^\W_]+[\W_]+){0,19}[^\W_]+[\W_]*)?$",
            )]"#,
        ],
    ),
    (
        "time_zone",
        &[
            r#"#[serde(default, alias = "timeZone")]"#,
            r#"#[param(value_type = Option<String>, required = false, example = "Europe/Berlin")]"#,
        ],
    ),
];

const FIELDS: [(&str, &[&str]); 83] = [
    ("Task.id", &[OR_DEFAULT, REQUIRED]),
    ("Task.user_id", &[r#"#[serde(alias = "userId")]"#, OR_DEFAULT, REQUIRED]),
    ("Task.title", &[OR_DEFAULT, REQUIRED]),
    ("Task.description", &[OR_DEFAULT, REQUIRED]),
    ("Task.completed", &[OR_DEFAULT, REQUIRED]),
    (
        "Task.completed_at",
        &[r#"#[serde(alias = "completedAt")]"#, TIMESTAMP, PARSE_TIMESTAMP, OPTIONAL_TIMESTAMP],
    ),
    (
        "Task.created_at",
        &[
            r#"#[serde(alias = "createdAt")]"#,
            TIMESTAMP,
            PARSE_TIMESTAMP,
            TIMESTAMP_SCHEMA,
            REQUIRED,
        ],
    ),
    (
        "Task.updated_at",
        &[
            r#"#[serde(alias = "updatedAt")]"#,
            TIMESTAMP,
            PARSE_TIMESTAMP,
            TIMESTAMP_SCHEMA,
            REQUIRED,
        ],
    ),
    ("Task.etag", &[OR_DEFAULT, REQUIRED]),
    ("Task.tags", &[OR_DEFAULT, REQUIRED]),
    ("Task.due_date", &[DUE_DATE, "#[schema(format = Date)]"]),
    ("Task.due_at", &[DUE_AT, TIMESTAMP, OPTIONAL_TIMESTAMP]),
    ("Task.due_zone", &[DUE_ZONE]),
    ("Task.reminders", &[OR_DEFAULT, REQUIRED]),
    ("Task.series_id", &[r#"#[serde(alias = "seriesId")]"#]),
    ("Task.position", &[OR_DEFAULT, REQUIRED]),
    (
        "Task.deleted_at",
        &[
            r#"#[serde(alias = "deletedAt")]"#,
            TIMESTAMP,
            PARSE_TIMESTAMP,
            OPTIONAL_TIMESTAMP,
            ABSENT_IF_NONE,
        ],
    ),
    (
        "Task.priority",
        &[
            PRIORITY_NAME[0],
            r#"#[serde(default, deserialize_with = "crate::json::priority")]"#,
            PRIORITY_NAME[1],
            REQUIRED,
        ],
    ),
    ("Reminder.at", &[TIMESTAMP, PARSE_TIMESTAMP, OPTIONAL_TIMESTAMP, ABSENT_IF_NONE]),
    (
        "Reminder.minutes_before",
        &[
            r#"#[serde(default, alias = "minutesBefore",
                       deserialize_with = "crate::json::whole_number")]"#,
            ABSENT_IF_NONE,
            "#[schema(minimum = 0, maximum = 525_600)]",
        ],
    ),
    (
        "Recurrence.from",
        &[
            r#"#[serde(default, with = "crate::json::repeat_from")]"#,
            "#[schema(value_type = Option<RepeatFrom>)]",
        ],
    ),
    ("Recurrence.rule", &[r#"#[schema(max_length = 500, example = "FREQ=WEEKLY;BYDAY=MO")]"#]),
    (
        "Recurrence.time_zone",
        &[
            r#"#[serde(default, alias = "timeZone", skip_serializing_if = "String::is_empty")]"#,
            ZONE,
        ],
    ),
    (
        "Recurrence.start",
        &[
            OR_DEFAULT,
            r#"#[serde(skip_serializing_if = "String::is_empty")]"#,
            r#"#[schema(value_type = Option<String>, example = "2026-11-25T09:00:00")]"#,
        ],
    ),
    ("DeletedTask.deleted_at", &[TIMESTAMP, TIMESTAMP_SCHEMA]),
    ("CreateTaskRequest.user_id", &[SKIPPED]),
    ("CreateTaskRequest.request_id", &[SKIPPED]),
    ("CreateTaskRequest.title", &[OR_DEFAULT, "#[schema(required = true)]", TITLE]),
    ("CreateTaskRequest.description", &[OR_DEFAULT, DESCRIPTION]),
    (
        "CreateTaskRequest.priority",
        &[r#"#[serde(default, deserialize_with = "crate::json::priority")]"#, PRIORITY],
    ),
    ("CreateTaskRequest.tags", &[OR_DEFAULT, TAGS]),
    ("CreateTaskRequest.due_date", &[DUE_DATE, DATE]),
    ("CreateTaskRequest.due_at", &[DUE_AT, OPTIONAL_TIMESTAMP]),
    ("CreateTaskRequest.due_zone", &[DUE_ZONE, ZONE]),
    ("CreateTaskRequest.reminders", &[OR_DEFAULT, REMINDERS]),
    ("UpdateTaskRequest.user_id", &[SKIPPED]),
    ("UpdateTaskRequest.id", &[SKIPPED]),
    ("UpdateTaskRequest.update_mask", &[SKIPPED]),
    ("UpdateTaskRequest.etag", &[SKIPPED]),
    ("UpdateTaskRequest.title", &["#[schema(required = false)]", TITLE]),
    ("UpdateTaskRequest.description", &[DESCRIPTION]),
    (
        "UpdateTaskRequest.priority",
        &[r#"#[serde(default, deserialize_with = "crate::json::optional_priority")]"#, PRIORITY],
    ),
    ("UpdateTaskRequest.tags", &[OR_DEFAULT, TAGS]),
    ("UpdateTaskRequest.due_date", &[DUE_DATE, DATE]),
    ("UpdateTaskRequest.due_at", &[DUE_AT, OPTIONAL_TIMESTAMP]),
    ("UpdateTaskRequest.due_zone", &[DUE_ZONE, ZONE]),
    ("UpdateTaskRequest.reminders", &[OR_DEFAULT, REMINDERS]),
    ("MoveTaskRequest.user_id", &[SKIPPED]),
    ("MoveTaskRequest.id", &[SKIPPED]),
    ("MoveTaskRequest.etag", &[SKIPPED]),
    ("ListTasksRequest.user_id", &[SKIPPED]),
    ("ListTasksRequest.page_size", &PAGE_SIZE),
    ("ListTasksRequest.page_token", &PAGE_TOKEN),
    (
        "ListTasksRequest.include_total",
        &[r#"#[serde(default, alias = "includeTotal")]"#, "#[param(required = false)]"],
    ),
    (
        "ListTasksRequest.sort",
        &[
            r#"#[serde(default, deserialize_with = "crate::json::task_sort")]"#,
            "#[param(value_type = Option<TaskSort>, inline, required = false)]",
        ],
    ),
    ("ListTasksRequest.deleted", &["#[serde(default)]", "#[param(required = false)]"]),
    ("CountTasksRequest.user_id", &[SKIPPED]),
    ("PriorityCount.priority", &PRIORITY_NAME),
    ("BatchCreateTasksRequest.user_id", &[SKIPPED]),
    ("BatchCreateTasksRequest.request_id", &[SKIPPED]),
    ("BatchCreateTasksRequest.tasks", &[OR_DEFAULT, REQUIRED, UP_TO_500]),
    ("BatchUpdateTasksRequest.user_id", &[SKIPPED]),
    ("BatchUpdateTasksRequest.request_id", &[SKIPPED]),
    ("BatchUpdateTasksRequest.ids", &[OR_DEFAULT, REQUIRED, IDS]),
    ("BatchCompleteTasksRequest.user_id", &[SKIPPED]),
    ("BatchCompleteTasksRequest.request_id", &[SKIPPED]),
    ("BatchCompleteTasksRequest.ids", &[OR_DEFAULT, REQUIRED, IDS]),
    ("BatchDeleteTasksRequest.user_id", &[SKIPPED]),
    ("BatchDeleteTasksRequest.request_id", &[SKIPPED]),
    ("BatchDeleteTasksRequest.ids", &[OR_DEFAULT, REQUIRED, IDS]),
    ("SyncTasksRequest.user_id", &[SKIPPED]),
    ("SyncTasksRequest.page_size", &PAGE_SIZE),
    ("SyncTasksRequest.sync_token", &SYNC_TOKEN),
    ("WatchTasksRequest.user_id", &[SKIPPED]),
    ("WatchTasksRequest.sync_token", &SYNC_TOKEN),
    ("ListSecurityEventsRequest.user_id", &[SKIPPED]),
    ("ListSecurityEventsRequest.page_size", &PAGE_SIZE),
    ("ListSecurityEventsRequest.page_token", &PAGE_TOKEN),
    ("PastReminder.at", &[TIMESTAMP, TIMESTAMP_SCHEMA]),
    ("PastReminder.fired_at", &[TIMESTAMP, TIMESTAMP_SCHEMA]),
    ("FiredReminder.at", &[TIMESTAMP, TIMESTAMP_SCHEMA]),
    ("FiredReminder.fired_at", &[TIMESTAMP, TIMESTAMP_SCHEMA]),
    ("Heartbeat.at", &[TIMESTAMP, TIMESTAMP_SCHEMA]),
];

/// Adds the attributes to the types to be generated.
pub fn attributes(mut builder: Builder) -> Builder {
    for (name, attribute) in TYPES {
        builder = builder.type_attribute(format!("{PACKAGE}.{name}"), attribute);
    }
    for (field, attributes) in FIELDS {
        for attribute in attributes {
            builder = builder.field_attribute(format!("{PACKAGE}.{field}"), attribute);
        }
    }
    for message in ["ListTasksRequest", "CountTasksRequest"] {
        for (field, attributes) in FILTERS {
            for attribute in attributes {
                builder =
                    builder.field_attribute(format!("{PACKAGE}.{message}.{field}"), attribute);
            }
        }
    }
    builder
        .type_attribute("audit.v1.SecurityEvent", TO_JSON)
        .field_attribute("audit.v1.SecurityEvent.at", TIMESTAMP)
        .field_attribute("audit.v1.SecurityEvent.at", TIMESTAMP_SCHEMA)
        .field_attribute(format!("{PACKAGE}.TaskSort.TASK_SORT_UNSPECIFIED"), SKIPPED)
        .field_attribute(format!("{PACKAGE}.Priority.PRIORITY_UNSPECIFIED"), SKIPPED)
        .field_attribute(format!("{PACKAGE}.RepeatFrom.REPEAT_FROM_UNSPECIFIED"), SKIPPED)
}
