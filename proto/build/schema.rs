//! What OpenAPI says of members beyond their types: limits, formats, examples.

/// Members of responses that may be `null` although the contract has no `optional` there.
pub const NULLABLE: [&str; 4] =
    ["Task.completed_at", "Task.due_at", "Task.deleted_at", "Reminder.at"];

/// A title: trimmed it is not empty, and inside it has no control character.
const TITLE: &str = r#"value_type = String, min_length = 1, max_length = 200,
    pattern = r"^\s*[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?\s*$""#;
const DESCRIPTION: &str =
    r#"value_type = Option<String>, max_length = 10000, pattern = r"^[^\x00]*$""#;
const ZONE: &str = r#"value_type = Option<String>, example = "Europe/Berlin""#;
const TAGS: &str = "value_type = Option<Vec<crate::schema::Tag>>, inline, max_items = 20";
const IDS: &str = "required = true, schema_with = crate::schema::task_ids";
/// At most twenty words.
const TEXT: &str = r#"value_type = Option<String>, max_length = 200,
    pattern = r"^([\W_]*([^\W_]+[\W_]+){0,19}[^\W_]+[\W_]*)?$""#;

/// The attributes of a member or parameter, `path` being `Message.field`.
pub fn of(path: &str, name: &str, is_query: bool) -> Vec<String> {
    let is_request = path.contains("Request.");
    let attributes: &[&str] = match (path, name) {
        ("CreateTaskRequest.title", _) => &["required = true", TITLE],
        ("UpdateTaskRequest.title", _) => &["required = false", TITLE],
        ("BatchCreateTasksRequest.tasks", _) => {
            &["required = true, min_items = 1, max_items = 500"]
        }
        ("Reminder.minutes_before", _) => &["minimum = 0, maximum = 525_600"],
        ("Recurrence.from", _) => &["value_type = Option<RepeatFrom>"],
        ("Recurrence.rule", _) => &[r#"max_length = 500, example = "FREQ=WEEKLY;BYDAY=MO""#],
        ("Recurrence.time_zone", _) => &[ZONE],
        ("Recurrence.start", _) => {
            &[r#"value_type = Option<String>, example = "2026-11-25T09:00:00""#]
        }
        ("Task.due_date", _) => &["format = Date"],
        (_, "ids") if is_request => &[IDS],
        (_, "description") if is_request => &[DESCRIPTION],
        (_, "tags") if is_request => {
            &["value_type = Option<Vec<crate::schema::Tag>>, max_items = 20"]
        }
        (_, "due_date") if is_request => &["value_type = Option<String>, format = Date"],
        (_, "due_zone") if is_request => &[ZONE],
        (_, "reminders") if is_request => &["value_type = Option<Vec<Reminder>>, max_items = 10"],
        (_, "page_size") if is_query => &["minimum = 0"],
        (_, "tags_any" | "tags_all" | "tags_none") if is_query => &[TAGS],
        (_, "due_from" | "due_until") if is_query => &["format = Date"],
        (_, "text") if is_query => &[TEXT],
        (_, "time_zone") if is_query => &[ZONE],
        _ => &[],
    };
    attributes.iter().map(|text| (*text).to_owned()).collect()
}
