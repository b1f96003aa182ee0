//! An export of task-service, as JSON.

use proto::task::v1 as pb;
use tonic::Streaming;

use super::{PeerFault, within};
use crate::json_list::objects;

/// An export that has begun.
pub struct Exported {
    messages: Streaming<pb::ExportTasksResponse>,
}

/// Some of it: objects of JSON, with commas between them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// The next tasks, before any reminder.
    pub tasks: Vec<u8>,
    /// The next reminders that have fired.
    pub reminders: Vec<u8>,
}

/// Some of the events: objects of JSON, with commas between them.
pub struct EventPage {
    pub events: Vec<u8>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
}

impl Exported {
    pub(super) fn new(messages: Streaming<pb::ExportTasksResponse>) -> Self {
        Self { messages }
    }

    /// The next piece; `None` at the end. Anything but an end is an error.
    pub async fn next(&mut self) -> Result<Option<Piece>, PeerFault> {
        let message = within(self.messages.message()).await?;
        Ok(message.map(|message| Piece {
            tasks: objects(&message.tasks),
            reminders: objects(&message.reminders),
        }))
    }
}
