//! Changes on the wire.

use proto::task::v1 as pb;
use shared::fields::Fields;

use super::timestamp::timestamp;
use crate::{
    domain::task::Task,
    error::Error,
    query::{
        page,
        sync::{Changes, InvalidSyncToken, SyncPlace, SyncRequest},
    },
};

/// What `message` has, and how much more it takes.
pub fn sync_request(message: &pb::SyncTasksRequest) -> Result<SyncRequest, Error> {
    let mut fields = Fields::default();
    let size = fields.take("page_size", page::size(message.page_size));
    let after = fields.take("sync_token", place(&message.sync_token, &message.user_id));
    Ok(fields.finish(size.zip(after).map(|(size, after)| SyncRequest { size, after }))?)
}

/// The place that a `sync_token` of this user names, or none for an empty one.
pub fn place(token: &str, user_id: &str) -> Result<Option<SyncPlace>, InvalidSyncToken> {
    (!token.is_empty()).then(|| SyncPlace::parse(token, user_id)).transpose()
}

/// That a task is gone.
pub fn deleted(task: &Task) -> pb::DeletedTask {
    pb::DeletedTask { id: task.id.to_string(), deleted_at: task.deleted_at.map(timestamp) }
}

/// What has changed, for the user it is told.
pub fn changes(changes: Changes, user_id: &str) -> pb::SyncTasksResponse {
    let mut said = pb::SyncTasksResponse {
        next_sync_token: changes.next.token(user_id),
        more: changes.more,
        tasks: Vec::new(),
        deleted: Vec::new(),
    };
    for task in changes.tasks {
        if task.deleted_at.is_some() {
            said.deleted.push(deleted(&task));
        } else {
            said.tasks.push(task.into());
        }
    }
    said
}
