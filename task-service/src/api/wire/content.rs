//! The content of a task on the wire: the conversion of all task fields.
//!
//! Messages are destructured and built without `..`, so a new field of the contract does not
//! compile before it is handled here.

use prost_types::Timestamp as WireTimestamp;
use proto::task::v1 as pb;
use shared::fields::{Fields, Violations};

use super::{
    mask::Mask,
    priority::priority,
    request_id,
    schedule::{self, ParsedDue},
    timestamp::timestamp,
};
use crate::domain::{
    due::Due,
    etag::Etag,
    task::{
        Content, Description, DueChange, NewTask, Priority, RuleChange, Tags, Task, TaskPatch,
        Title,
    },
    zone::Zone,
};

impl From<Task> for pb::Task {
    fn from(task: Task) -> Self {
        let completed = task.completed();
        let Task {
            id,
            user_id,
            content,
            completed_at,
            anchor,
            series,
            position,
            created_at,
            updated_at,
            deleted_at,
            revision,
        } = task;
        let Content { title, description, priority, tags, due, reminders, recurrence } = content;
        let (due_date, due_at, due_zone) = match &due {
            None => (None, None, None),
            Some(Due::Date(date)) => (Some(date.to_string()), None, None),
            Some(Due::At { moment, zone }) => {
                (None, Some(timestamp(*moment)), Some(zone.as_str().to_owned()))
            }
        };
        Self {
            id: id.to_string(),
            user_id,
            title: title.into_string(),
            description: description.into_string(),
            completed,
            completed_at: completed_at.map(timestamp),
            priority: pb::Priority::from(priority).into(),
            created_at: Some(timestamp(created_at)),
            updated_at: Some(timestamp(updated_at)),
            etag: Etag::of(revision).into_string(),
            tags: tags.into_vec(),
            due_date,
            due_at,
            due_zone,
            reminders: reminders.as_slice().iter().map(pb::Reminder::from).collect(),
            recurrence: recurrence.map(|repeat| schedule::rule(&repeat, anchor)),
            series_id: series.map(|series| series.id.to_string()),
            occurrence: series.map(|series| series.occurrence),
            position: position.into_string(),
            deleted_at: deleted_at.map(timestamp),
        }
    }
}

/// The creation with the content of this task, without its history.
pub fn creation(task: pb::Task) -> pb::CreateTaskRequest {
    let pb::Task {
        id: _,
        user_id: _,
        title,
        description,
        completed: _,
        completed_at: _,
        priority,
        created_at: _,
        updated_at: _,
        etag: _,
        tags,
        due_date,
        due_at,
        due_zone,
        reminders,
        recurrence,
        series_id: _,
        occurrence: _,
        position: _,
        deleted_at: _,
    } = task;
    pb::CreateTaskRequest {
        user_id: String::new(),
        title,
        description,
        priority,
        request_id: String::new(),
        tags,
        due_date,
        due_at,
        due_zone,
        reminders,
        recurrence,
    }
}

/// The task to create, checked field by field; the rules between fields are not checked.
pub fn parse_content(message: pb::CreateTaskRequest) -> Result<NewTask, Violations> {
    let pb::CreateTaskRequest {
        user_id: _,
        title,
        description,
        priority: number,
        request_id: key,
        tags,
        due_date,
        due_at,
        due_zone,
        reminders,
        recurrence,
    } = message;
    let mut fields = Fields::default();
    let title = fields.take("title", Title::parse(&title));
    let description = fields.take("description", Description::parse(description));
    let priority = match number {
        0 => Some(Priority::default()),
        number => fields.take("priority", priority(number)),
    };
    let tags = fields.take("tags", Tags::parse(tags));
    let due = schedule::due(due_date.as_deref(), due_at, due_zone.as_deref(), &mut fields);
    let due = match due {
        ParsedDue::Nothing => None,
        ParsedDue::Due(due) => Some(due),
        ParsedDue::Instant(moment) => Some(Due::At { moment, zone: Zone::UTC }),
    };
    let reminders = schedule::reminders(&reminders, &mut fields);
    let recurrence = recurrence.map(|rule| schedule::recurrence(&rule, &mut fields));
    let request_id = request_id(key, &mut fields);
    let content = || {
        Some(Content {
            title: title?,
            description: description?,
            priority: priority?,
            tags: tags?,
            due,
            reminders: reminders?,
            recurrence: match recurrence {
                Some(sound) => Some(sound?),
                None => None,
            },
        })
    };
    fields.finish(content().map(|content| NewTask { content, request_id }))
}

/// The patch in `message`. Faults go to `fields`; a field outside the mask is not checked.
pub fn patch(message: pb::UpdateTaskRequest, fields: &mut Fields) -> TaskPatch {
    let pb::UpdateTaskRequest {
        user_id: _,
        id: _,
        title,
        description,
        completed,
        priority: number,
        update_mask,
        etag: _,
        tags,
        due_date,
        due_at,
        due_zone,
        reminders,
        recurrence,
    } = message;
    let mut mask = Mask::of(update_mask);
    let title = mask.pick("title", title);
    let description = mask.pick("description", description);
    let completed = mask.pick("completed", completed);
    let number = mask.pick("priority", number);
    let tags = mask.pick_list("tags", tags);
    let due_date = mask.pick("due_date", due_date);
    let due_at = mask.pick("due_at", due_at);
    let due_zone = mask.pick("due_zone", due_zone);
    let reminders = mask.pick_list("reminders", reminders);
    let recurrence = mask.pick("recurrence", recurrence);
    mask.check(fields);
    TaskPatch {
        title: title
            .and_then(|title| fields.take("title", Title::parse(&title.unwrap_or_default()))),
        description: description.and_then(|text| {
            fields.take("description", Description::parse(text.unwrap_or_default()))
        }),
        completed: completed.map(Option::unwrap_or_default),
        priority: number.and_then(|number| match number {
            None => Some(Priority::default()),
            Some(number) => fields.take("priority", priority(number)),
        }),
        tags: tags.and_then(|tags| fields.take("tags", Tags::parse(tags))),
        reminders: reminders.and_then(|reminders| schedule::reminders(&reminders, fields)),
        recurrence: recurrence.and_then(|rule| match rule {
            Some(rule) => schedule::recurrence(&rule, fields).map(Box::new).map(RuleChange::Set),
            None => Some(RuleChange::End),
        }),
        due: due(due_date, due_at, due_zone, fields),
    }
}

/// The change of the due from its three fields.
#[expect(clippy::option_option, reason = "to leave a field alone is no value of it")]
fn due(
    date: Option<Option<String>>,
    at: Option<Option<WireTimestamp>>,
    zone: Option<Option<String>>,
    fields: &mut Fields,
) -> Option<DueChange> {
    let writes = (date.is_some(), at.is_some(), zone.is_some());
    let (date, at, zone) = (date.flatten(), at.flatten(), zone.flatten());
    match (schedule::due(date.as_deref(), at, zone.as_deref(), fields), writes) {
        (ParsedDue::Due(due), _) => Some(DueChange::Set(due)),
        // A zone that is in the mask and not set gets its default.
        (ParsedDue::Instant(moment), (_, _, true)) => {
            Some(DueChange::Set(Due::At { moment, zone: Zone::UTC }))
        }
        (ParsedDue::Instant(moment), _) => Some(DueChange::Instant(moment)),
        (ParsedDue::Nothing, (true, true, _)) => Some(DueChange::None),
        (ParsedDue::Nothing, (true, false, _)) => Some(DueChange::NoDate),
        (ParsedDue::Nothing, (false, true, _)) => Some(DueChange::NoInstant),
        (ParsedDue::Nothing, (false, false, zone)) => zone.then_some(DueChange::NoZone),
    }
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
