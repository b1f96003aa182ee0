//! The field mask of an update.

use prost_types::FieldMask;
use shared::error::Classified;

use super::*;
use crate::{domain::task::Reminders, error::Error};

fn read(message: pb::UpdateTaskRequest) -> Result<TaskPatch, Error> {
    let mut fields = Fields::default();
    let patch = patch(message, &mut fields);
    Ok(fields.finish(Some(patch))?)
}

fn masked(paths: &[&str]) -> pb::UpdateTaskRequest {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    pb::UpdateTaskRequest { update_mask: Some(FieldMask { paths }), ..Default::default() }
}

fn faulty(message: pb::UpdateTaskRequest) -> Vec<String> {
    let error = read(message).expect_err("faults");
    error.violations().iter().map(|violation| violation.field.to_string()).collect()
}

#[test]
fn without_a_mask_what_is_set_is_written() {
    for mask in [None, Some(FieldMask::default())] {
        let message = pb::UpdateTaskRequest {
            description: Some(String::new()),
            update_mask: mask,
            ..Default::default()
        };
        let expected =
            TaskPatch { description: Some(Description::default()), ..TaskPatch::default() };
        assert_eq!(read(message).expect("a patch"), expected);
    }
    assert_eq!(faulty(pb::UpdateTaskRequest::default()), ["update_mask"]);
}

#[test]
fn what_is_named_but_not_set_gets_its_default_and_a_title_has_none() {
    let patch = read(masked(&["description", "completed", "priority"])).expect("a patch");
    let expected = TaskPatch {
        title: None,
        description: Some(Description::default()),
        completed: Some(false),
        priority: Some(Priority::Medium),
        ..TaskPatch::default()
    };
    assert_eq!(patch, expected);
    let patch = read(masked(&["tags", "due_at", "reminders", "recurrence"])).expect("a patch");
    let expected = TaskPatch {
        tags: Some(Tags::default()),
        due: Some(DueChange::NoInstant),
        reminders: Some(Reminders::default()),
        recurrence: Some(RuleChange::End),
        ..TaskPatch::default()
    };
    assert_eq!(patch, expected);
    assert_eq!(faulty(masked(&["title"])), ["title"]);
    assert_eq!(faulty(masked(&["*"])), ["title"]);
}

#[test]
fn fields_outside_the_mask_are_not_checked() {
    let message = pb::UpdateTaskRequest {
        title: Some("\0".into()),
        priority: Some(99),
        completed: Some(true),
        ..masked(&["completed"])
    };
    assert_eq!(read(message).expect("a patch"), TaskPatch::completed(true));
}

#[test]
fn all_faults_are_found_at_once() {
    let message = pb::UpdateTaskRequest {
        title: Some(" ".into()),
        description: Some("\0".into()),
        priority: Some(0),
        ..masked(&["*", "user_id", "Title"])
    };
    assert_eq!(faulty(message), ["update_mask", "title", "description", "priority"]);
    for number in [-1, 5] {
        let message = pb::UpdateTaskRequest { priority: Some(number), ..Default::default() };
        assert_eq!(faulty(message), ["priority"]);
    }
}
