//! Watches on the wire.

use proto::task::v1::{self as pb, watch_tasks_response as response};
use shared::fields::Fields;

use super::{
    sync::{cursor, deleted},
    timestamp::timestamp,
};
use crate::{
    domain::task::{ReminderEvent, Task},
    error::Error,
    events::{reminder_stream::ReminderCursor, watch::Event},
    query::sync::SyncCursor,
};

/// The cursor in `message`; `None` for a first watch.
pub fn watch_request(message: &pb::WatchTasksRequest) -> Result<Option<SyncCursor>, Error> {
    let mut fields = Fields::default();
    let after = fields.take("sync_token", cursor(&message.sync_token, &message.user_id));
    Ok(fields.finish(after)?)
}

/// The cursor in `message`.
pub fn reminders_request(message: &pb::WatchRemindersRequest) -> Result<ReminderCursor, Error> {
    let mut fields = Fields::default();
    let cursor = match message.resume_token.as_str() {
        "" => Some(ReminderCursor::default()),
        token => fields.take("resume_token", ReminderCursor::parse(token)),
    };
    Ok(fields.finish(cursor)?)
}

/// The message of an event with its cursor.
pub fn event((event, cursor): (Event, SyncCursor), user_id: &str) -> pb::WatchTasksResponse {
    let event = match event {
        Event::Changed(task) => response::Event::Changed((*task).into()),
        Event::Deleted(task) => response::Event::Deleted(deleted(&task)),
        Event::Reminder(fired, task) => response::Event::Reminder(reminder(&fired, *task)),
        Event::Heartbeat(now) => {
            response::Event::Heartbeat(pb::Heartbeat { at: Some(timestamp(now)) })
        }
    };
    pb::WatchTasksResponse { event: Some(event), sync_token: cursor.token(user_id) }
}

/// The message of a reminder with its task, or a heartbeat; with the cursor.
pub fn reminder_event(
    (reminder_event, cursor): (Option<(ReminderEvent, Task)>, ReminderCursor),
) -> pb::WatchRemindersResponse {
    let reminder = reminder_event.map(|(fired, task)| reminder(&fired, task));
    pb::WatchRemindersResponse { reminder, resume_token: cursor.token() }
}

/// The message of a reminder event without its task.
pub fn past_reminder(fired: &ReminderEvent) -> pb::PastReminder {
    pb::PastReminder {
        task_id: fired.task_id.to_string(),
        at: Some(timestamp(fired.due_at)),
        fired_at: Some(timestamp(fired.at)),
    }
}

fn reminder(fired: &ReminderEvent, task: Task) -> pb::FiredReminder {
    pb::FiredReminder {
        task: Some(task.into()),
        at: Some(timestamp(fired.due_at)),
        fired_at: Some(timestamp(fired.at)),
        late: fired.is_late(),
    }
}
