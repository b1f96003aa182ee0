//! The export of task-service, as JSON.

use proto::task::v1 as pb;
use tonic::Streaming;

use super::{TaskClientError, within};
use crate::json_list::objects;

/// An export in progress.
pub struct ExportStream {
    messages: Streaming<pb::ExportTasksResponse>,
}

/// A batch of an export: JSON objects, separated by commas.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Tasks, all before any reminder.
    pub tasks: Vec<u8>,
    /// Reminders that have fired.
    pub reminders: Vec<u8>,
}

/// A page of security events: JSON objects, separated by commas.
pub struct EventPage {
    pub events: Vec<u8>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
}

impl ExportStream {
    pub(super) fn new(messages: Streaming<pb::ExportTasksResponse>) -> Self {
        Self { messages }
    }

    /// The next batch; `None` at the end. A broken stream is an error.
    pub async fn next(&mut self) -> Result<Option<Batch>, TaskClientError> {
        let message = within(self.messages.message()).await?;
        Ok(message.map(|message| Batch {
            tasks: objects(&message.tasks),
            reminders: objects(&message.reminders),
        }))
    }
}
