//! The reader, by the messages of tasks.

use proto::task::v1::{
    BatchCreateTasksRequest, BatchUpdateTasksRequest, CreateTaskRequest, MoveTaskRequest, Priority,
    Task, UpdateTaskRequest,
};
use serde_json::{Value as Json, json};

use super::*;

fn read<T: Members + Default>(text: &[u8]) -> Result<T, Vec<(String, String)>> {
    let mut message = None;
    let faults = faults(text, Slot::Message(&mut message));
    let faults: Vec<_> = faults.into_iter().map(|of| (of.field, of.message)).collect();
    if faults.is_empty() { Ok(message.expect("a message")) } else { Err(faults) }
}

fn of<T: Members + Default>(json: &Json) -> Result<T, Vec<(String, String)>> {
    read(json.to_string().as_bytes())
}

#[track_caller]
fn assert_faults<T: Members + Default>(text: &str, expected: &[(&str, &str)]) {
    let faults = read::<T>(text.as_bytes()).err().expect("faults");
    let faults: Vec<_> = faults.iter().map(|(field, rule)| (&**field, &**rule)).collect();
    assert_eq!(faults, expected, "{text}");
}

#[test]
fn every_fault_is_found_in_one_pass_however_deep() {
    assert_faults::<BatchCreateTasksRequest>(
        r#"{"when": {"a": [1, {"title": 2}]}, "tasks": [
            {"title": "a", "tags": ["b", 1, null], "title": 5},
            {"title": 5, "colour": 1, "description": null, "dueAt": "tomorrow"},
            3,
            {"recurrence": {"rule": 1, "from": "x"}, "due_at": 4, "priority": "none"},
            {"recurrence": {"time_zone": []}, "reminders": [{}, {"at": {}, "minutes": 1}, []]},
            {"recurrence": {"rule": null}, "reminders": {"at": 1}, "tags": "a", "due_date": true},
            null,
            {"reminders": [{"minutesBefore": 1.5, "at": "x"}, {"minutes_before": "1"}]}
        ], "tasks": 1}"#,
        &[
            ("body", "must not name `tasks` twice"),
            ("tasks[0]", "must not name `title` twice"),
            ("tasks[0].tags[1]", "must be a string"),
            ("tasks[0].tags[2]", "must be a string"),
            (
                "tasks[1].colour",
                "is not known here; what is: `title`, `description`, `priority`, `tags`, \
                 `due_date`, `due_at`, `due_zone`, `reminders`, `recurrence`",
            ),
            ("tasks[1].dueAt", "must be a moment such as `2026-11-25T09:00:00Z`"),
            ("tasks[1].title", "must be a string"),
            ("tasks[2]", "must be a JSON object"),
            ("tasks[3].due_at", "must be a string"),
            ("tasks[3].priority", "must be `low`, `medium`, `high` or `urgent`"),
            ("tasks[3].recurrence.from", "must be `due` or `completion`"),
            ("tasks[3].recurrence.rule", "must be a string"),
            ("tasks[4].recurrence", "missing field `rule`"),
            ("tasks[4].recurrence.time_zone", "must be a string"),
            ("tasks[4].reminders[1].at", "must be a string"),
            ("tasks[4].reminders[1].minutes", "is not known here; what is: `at`, `minutes_before`"),
            ("tasks[4].reminders[2]", "must be a JSON object"),
            ("tasks[5].due_date", "must be a string"),
            ("tasks[5].recurrence.rule", "must be a string"),
            ("tasks[5].reminders", "must be a sequence"),
            ("tasks[5].tags", "must be a sequence"),
            ("tasks[6]", "must be a JSON object"),
            ("tasks[7].reminders[0].at", "must be a moment such as `2026-11-25T09:00:00Z`"),
            ("tasks[7].reminders[0].minutesBefore", "must be a whole number, and not so large"),
            ("tasks[7].reminders[1].minutes_before", "must be a JSON number"),
            ("when", "is not known here; what is: `tasks`"),
        ],
    );
}

#[test]
fn what_is_inside_is_an_object_too() {
    let sound = json!({"title": "t", "recurrence": {"rule": "r"}, "reminders": [{}, {}]});
    let message: CreateTaskRequest = of(&sound).expect("a message");
    assert_eq!(message.recurrence.expect("one").rule, "r");
    assert_eq!(message.reminders.len(), 2);
    for (text, field) in [
        (r#"{"recurrence": ["r", "due"]}"#, "recurrence"),
        (r#"{"reminders": [{}, [null, 1]]}"#, "reminders[1]"),
        (r#"{"recurrence": "r"}"#, "recurrence"),
    ] {
        assert_faults::<CreateTaskRequest>(text, &[(field, "must be a JSON object")]);
    }
}

#[test]
fn a_member_comes_once_in_either_spelling() {
    for text in [
        r#"{"dueDate": "a", "due_date": "b"}"#,
        r#"{"due_date": null, "dueDate": null}"#,
        r#"{"due_date": 1, "dueDate": 1, "due_date": 1}"#,
    ] {
        let faults = read::<CreateTaskRequest>(text.as_bytes()).expect_err("a fault");
        assert_eq!(faults[0].1, "must not name `due_date` twice", "{text}");
    }
    assert_faults::<MoveTaskRequest>(
        r#"{"under": 1, "under": 2}"#,
        &[("under", "is not known here; what is: `before` or `after`")],
    );
}

#[test]
fn a_task_is_read_as_it_was_written_and_with_less() {
    let moment = chrono::DateTime::from_timestamp(1_700_000_000, 123_456_000);
    let moment = moment.map(proto::timestamp);
    let task = Task {
        title: "t".into(),
        priority: Priority::High.into(),
        completed_at: moment,
        due_at: moment,
        due_zone: Some("UTC".into()),
        series_id: Some("s".into()),
        occurrence: Some(2),
        ..Task::default()
    };
    assert_eq!(of(&serde_json::to_value(&task).expect("JSON")), Ok(task));
    let less = json!({"title": "t", "dueAt": "2023-11-14T23:13:20.123456789+01:00"});
    let read: Task = of(&less).expect("a task");
    assert_eq!((read.due_at, read.priority), (moment, 0));
    for faulty in [json!(1.0), json!("1"), json!(u64::MAX), json!(true)] {
        let text = json!({ "occurrence": faulty }).to_string();
        assert_faults::<Task>(&text, &[("occurrence", "must be i64")]);
    }
}

#[test]
fn null_is_the_default_and_absent_is_absent() {
    let create: CreateTaskRequest =
        of(&json!({"title": "t", "description": null, "priority": null, "tags": null}))
            .expect("a message");
    assert_eq!((create.description.as_str(), create.priority), ("", 0));
    let update: UpdateTaskRequest = of(&json!({"priority": "low"})).expect("a message");
    assert_eq!((update.priority, update.title), (Some(1), None));
    for (number, whole) in [("5.0", 5), ("5e1", 50), ("-0.0", 0), ("2147483647", i32::MAX)] {
        let text = format!(r#"{{"reminders": [{{"minutes_before": {number}}}]}}"#);
        let read: CreateTaskRequest = read(text.as_bytes()).expect("a message");
        assert_eq!(read.reminders[0].minutes_before, Some(whole));
    }
}

#[test]
fn an_update_keeps_the_fields_that_were_named() {
    let named = |message: UpdateTaskRequest| message.update_mask.expect("a mask").paths;
    let change = json!({"dueDate": null, "title": "t", "tags": []});
    assert_eq!(named(of(&change).expect("a message")), ["title", "tags", "due_date"]);
    assert_eq!(named(of(&json!({})).expect("a message")), [""; 0]);
    let batch = json!({"ids": ["a", "b"], "changes": change});
    let batch: BatchUpdateTasksRequest = of(&batch).expect("a message");
    assert_eq!(named(batch.changes.expect("changes")), ["title", "tags", "due_date"]);
    assert_eq!(batch.ids, ["a", "b"]);
}

#[test]
fn what_the_path_and_headers_say_is_no_member() {
    for name in ["user_id", "id", "request_id", "etag", "update_mask", "created_at"] {
        let body = json!({"title": "t", name: "x"});
        assert!(of::<CreateTaskRequest>(&body).is_err(), "{name}");
        assert!(of::<UpdateTaskRequest>(&body).is_err(), "{name}");
    }
    for name in ["Low", "PRIORITY_LOW", "1", "unspecified", ""] {
        let body = json!({"title": "t", "priority": name});
        assert!(of::<CreateTaskRequest>(&body).is_err(), "{name}");
    }
}

#[test]
fn the_search_for_faults_has_a_limit() {
    let tasks = "1,".repeat(2 * MAX_FAULTS);
    let text = format!(r#"{{"tasks": [{tasks}1]}}"#);
    let faults = read::<BatchCreateTasksRequest>(text.as_bytes()).expect_err("faults");
    assert_eq!(faults.len(), MAX_FAULTS);
}

/// Names that messages have, and one more.
const NAMES: [&str; 12] = [
    "tasks",
    "title",
    "tags",
    "dueAt",
    "due_at",
    "reminders",
    "at",
    "minutesBefore",
    "recurrence",
    "rule",
    "priority",
    "x",
];

/// A random value, of parts while there is depth left.
fn value(random: &mut impl FnMut(usize) -> usize, depth: usize) -> String {
    let count = random(5);
    match random(if depth == 0 { 7 } else { 10 }) {
        0 => "null".to_owned(),
        1 => "true".to_owned(),
        2 => (random(100)).to_string(),
        3 => "-1.5e3".to_owned(),
        4 => r#""low""#.to_owned(),
        5 => r#""2026-11-25T09:00:00+01:00""#.to_owned(),
        6 => r#""\u00e9\n\"""#.to_owned(),
        7 => {
            let all: Vec<_> = (0..count).map(|_| value(random, depth - 1)).collect();
            format!("[{}]", all.join(", "))
        }
        _ => {
            let member = |_| {
                let name = NAMES[random(NAMES.len())];
                format!("\"{name}\": {}", value(random, depth - 1))
            };
            format!("{{{}}}", (0..count).map(member).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Texts of random values, some of them cut or spoilt.
#[test]
fn no_text_panics_and_a_fault_of_syntax_is_one_alone() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move |below: usize| {
        // Xorshift: the same texts in every run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    let mut read_whole = 0;
    for _ in 0..20_000 {
        let mut text = format!(r#"{{"tasks": [{}]}}"#, value(&mut random, 5)).into_bytes();
        match random(4) {
            0 => text.truncate(random(text.len())),
            1 => {
                let at = random(text.len());
                text[at] = u8::try_from(random(256)).expect("a byte");
            }
            _ => {}
        }
        let is_json = serde_json::from_slice::<Json>(&text).is_ok();
        match read::<BatchCreateTasksRequest>(&text) {
            Ok(_) => read_whole += 1,
            Err(faults) => {
                let is_syntax = faults[0].1.starts_with("is not valid JSON: ");
                assert_eq!(is_syntax, !is_json, "{faults:?} of {text:?}");
                assert!(!is_syntax || faults.len() == 1);
            }
        }
    }
    assert!(read_whole > 100, "{read_whole}");
}
