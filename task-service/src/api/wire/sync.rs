//! The sync on the wire.

use proto::task::v1 as pb;
use shared::fields::Fields;

use super::timestamp::timestamp;
use crate::{
    domain::task::Task,
    error::Error,
    query::{
        page,
        sync::{Changes, InvalidSyncToken, SyncCursor, SyncRequest},
    },
};

/// The sync request in `message`.
pub fn sync_request(message: &pb::SyncTasksRequest) -> Result<SyncRequest, Error> {
    let mut fields = Fields::default();
    let size = fields.take("page_size", page::size(message.page_size));
    let after = fields.take("sync_token", cursor(&message.sync_token, &message.user_id));
    Ok(fields.finish(size.zip(after).map(|(size, after)| SyncRequest { size, after }))?)
}

/// The cursor of a `sync_token` of this user; none for an empty one.
pub fn cursor(token: &str, user_id: &str) -> Result<Option<SyncCursor>, InvalidSyncToken> {
    (!token.is_empty()).then(|| SyncCursor::parse(token, user_id)).transpose()
}

/// The message of a deleted task.
pub fn deleted(task: &Task) -> pb::DeletedTask {
    pb::DeletedTask { id: task.id.to_string(), deleted_at: task.deleted_at.map(timestamp) }
}

/// The response of a page of changes.
pub fn changes(changes: Changes, user_id: &str) -> pb::SyncTasksResponse {
    let mut response = pb::SyncTasksResponse {
        next_sync_token: changes.next.token(user_id),
        more: changes.more,
        tasks: Vec::new(),
        deleted: Vec::new(),
    };
    for task in changes.tasks {
        if task.deleted_at.is_some() {
            response.deleted.push(deleted(&task));
        } else {
            response.tasks.push(task.into());
        }
    }
    response
}
