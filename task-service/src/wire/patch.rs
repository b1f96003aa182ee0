//! The field mask of an update (AIP-134).

use proto::task::v1 as pb;
use shared::fields::Fields;

use super::{
    priority::priority,
    schedule::{self, Said},
};
use crate::{
    due::Due,
    task::{Description, DueChange, Priority, RuleChange, Tags, TaskPatch, Title},
    zone::Zone,
};

/// All that can be written.
const WRITABLE: [&str; 10] = [
    "title",
    "description",
    "completed",
    "priority",
    "tags",
    "due_date",
    "due_at",
    "due_zone",
    "reminders",
    "recurrence",
];

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
    if writes("tags", !message.tags.is_empty()) {
        patch.tags = fields.take("tags", Tags::parse(std::mem::take(&mut message.tags)));
    }
    if writes("reminders", !message.reminders.is_empty()) {
        patch.reminders = schedule::reminders(&message.reminders, fields);
    }
    if writes("recurrence", message.recurrence.is_some()) {
        patch.recurrence = match &message.recurrence {
            Some(rule) => schedule::recurrence(rule, fields).map(Box::new).map(RuleChange::Set),
            None => Some(RuleChange::End),
        };
    }
    let writes = [
        writes("due_date", message.due_date.is_some()),
        writes("due_at", message.due_at.is_some()),
        writes("due_zone", message.due_zone.is_some()),
    ];
    patch.due = due(writes, message, fields);
    patch
}

/// What becomes of the due, of whose three fields some are written.
fn due(
    [date, at, zone]: [bool; 3],
    message: &pb::UpdateTaskRequest,
    fields: &mut Fields,
) -> Option<DueChange> {
    let said = schedule::due(
        message.due_date.as_deref().filter(|_| date),
        message.due_at.filter(|_| at),
        message.due_zone.as_deref().filter(|_| zone),
        fields,
    );
    match said {
        Said::Due(due) => Some(DueChange::Set(due)),
        // A zone that is named and not set gets its default.
        Said::Instant(moment) if zone => Some(DueChange::Set(Due::At { moment, zone: Zone::UTC })),
        Said::Instant(moment) => Some(DueChange::Instant(moment)),
        Said::Nothing => match (date, at) {
            (true, true) => Some(DueChange::None),
            (true, false) => Some(DueChange::NoDate),
            (false, true) => Some(DueChange::NoInstant),
            (false, false) => zone.then_some(DueChange::NoZone),
        },
    }
}

/// A mask may name what can be written, and nothing else; without one, something must be
/// set.
fn check(mask: &[String], message: &pb::UpdateTaskRequest, fields: &mut Fields) {
    let is_known = |path: &String| path == ALL || WRITABLE.contains(&path.as_str());
    let nothing_is_set = message.title.is_none()
        && message.description.is_none()
        && message.completed.is_none()
        && message.priority.is_none()
        && message.tags.is_empty()
        && message.due_date.is_none()
        && message.due_at.is_none()
        && message.due_zone.is_none()
        && message.reminders.is_empty()
        && message.recurrence.is_none();
    if mask.is_empty() && nothing_is_set {
        fields.fault("update_mask", "must name a field, or one must be set");
    }
    if !mask.iter().all(is_known) {
        let names = WRITABLE.map(|name| format!("`{name}`")).join(", ");
        fields.fault("update_mask", format!("must name nothing but {names} or `*`"));
    }
}

#[cfg(test)]
mod tests {
    use prost_types::FieldMask;
    use shared::error::Classified;

    use super::*;
    use crate::{error::Error, task::Reminders};

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
