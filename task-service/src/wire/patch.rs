//! The field mask of an update (AIP-134).

use shared::{fields::Fields, proto::task::v1 as pb};

use super::priority::priority;

use crate::task::{Description, Priority, TaskPatch, Title};

/// All that can be written.
const WRITABLE: [&str; 4] = ["title", "description", "completed", "priority"];

/// Names all of them.
const ALL: &str = "*";

/// What `message` wants written. Faults are noted in `fields`; a field that is not to be
/// written is not looked at.
pub fn read(message: &mut pb::UpdateTaskRequest, fields: &mut Fields) -> TaskPatch {
    let mask = message.update_mask.take().unwrap_or_default().paths;
    check(&mask, message, fields);
    // A mask without paths counts as none, as many clients cannot leave it out.
    let writes = |field: &str, is_set: bool| match mask.as_slice() {
        [] => is_set,
        paths => paths.iter().any(|path| path == field || path == ALL),
    };
    let mut patch = TaskPatch::default();
    if writes("title", message.title.is_some()) {
        let title = message.title.as_deref().unwrap_or_default();
        patch.title = fields.take("title", Title::parse(title));
    }
    if writes("description", message.description.is_some()) {
        let description = message.description.take().unwrap_or_default();
        patch.description = fields.take("description", Description::parse(description));
    }
    if writes("completed", message.completed.is_some()) {
        patch.completed = Some(message.completed.unwrap_or_default());
    }
    if writes("priority", message.priority.is_some()) {
        patch.priority = match message.priority {
            None => Some(Priority::default()),
            Some(number) => fields.take("priority", priority(number)),
        };
    }
    patch
}

/// A mask may name what can be written, and nothing else; without one, something must be
/// set.
fn check(mask: &[String], message: &pb::UpdateTaskRequest, fields: &mut Fields) {
    let is_known = |path: &String| path == ALL || WRITABLE.contains(&path.as_str());
    let nothing_is_set = message.title.is_none()
        && message.description.is_none()
        && message.completed.is_none()
        && message.priority.is_none();
    if mask.is_empty() && nothing_is_set {
        fields.fault("update_mask", "must name a field, or one must be set");
    }
    if !mask.iter().all(is_known) {
        fields.fault(
            "update_mask",
            "must name nothing but `title`, `description`, `completed`, `priority` or `*`",
        );
    }
}

#[cfg(test)]
mod tests {
    use prost_types::FieldMask;
    use shared::error::Classified;

    use super::*;
    use crate::error::Error;

    fn read(mut message: pb::UpdateTaskRequest) -> Result<TaskPatch, Error> {
        let mut fields = Fields::default();
        let patch = super::read(&mut message, &mut fields);
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
        };
        assert_eq!(patch, expected);
        assert_eq!(faulty(masked(&["title"])), ["title"]);
        assert_eq!(faulty(masked(&["*"])), ["title"]);
    }

    #[test]
    fn what_is_set_but_not_named_is_not_even_looked_at() {
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
}
