//! What watchers are told, on the wire.

use proto::task::v1::{self as pb, watch_tasks_response as told};
use shared::fields::Fields;

use super::{
    sync::{deleted, place},
    timestamp::timestamp,
};
use crate::{
    domain::task::{Fired, Task},
    error::Error,
    events::{reminder_stream::FiringPlace, watch::Event},
    query::sync::SyncPlace,
};

/// Where `message` begins; `None`: with nothing.
pub fn watch_request(message: &pb::WatchTasksRequest) -> Result<Option<SyncPlace>, Error> {
    let mut fields = Fields::default();
    let after = fields.take("sync_token", place(&message.sync_token, &message.user_id));
    Ok(fields.finish(after)?)
}

/// Where `message` begins.
pub fn reminders_request(message: &pb::WatchRemindersRequest) -> Result<FiringPlace, Error> {
    let mut fields = Fields::default();
    let place = match message.resume_token.as_str() {
        "" => Some(FiringPlace::default()),
        token => fields.take("resume_token", FiringPlace::parse(token)),
    };
    Ok(fields.finish(place)?)
}

/// An event, and the place behind it, for the user it is told.
pub fn event((event, place): (Event, SyncPlace), user_id: &str) -> pb::WatchTasksResponse {
    let event = match event {
        Event::Changed(task) => told::Event::Changed((*task).into()),
        Event::Deleted(task) => told::Event::Deleted(deleted(&task)),
        Event::Reminder(fired, task) => told::Event::Reminder(reminder(&fired, *task)),
        Event::Heartbeat(now) => told::Event::Heartbeat(pb::Heartbeat { at: Some(timestamp(now)) }),
    };
    pb::WatchTasksResponse { event: Some(event), sync_token: place.token(user_id) }
}

/// A reminder with its task, or none; and the place behind it.
pub fn firing((firing, place): (Option<(Fired, Task)>, FiringPlace)) -> pb::WatchRemindersResponse {
    let reminder = firing.map(|(fired, task)| reminder(&fired, task));
    pb::WatchRemindersResponse { reminder, resume_token: place.token() }
}

/// A reminder that has fired, without its task.
pub fn past_reminder(fired: &Fired) -> pb::PastReminder {
    pb::PastReminder {
        task_id: fired.task_id.to_string(),
        at: Some(timestamp(fired.due_at)),
        fired_at: Some(timestamp(fired.at)),
    }
}

fn reminder(fired: &Fired, task: Task) -> pb::FiredReminder {
    pb::FiredReminder {
        task: Some(task.into()),
        at: Some(timestamp(fired.due_at)),
        fired_at: Some(timestamp(fired.at)),
        late: fired.is_late(),
    }
}
