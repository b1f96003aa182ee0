//! The response stream of an export.

use futures_util::{StreamExt, TryStreamExt, stream};
use proto::task::v1 as pb;
use shared::auth::Owner;
use uuid::Uuid;

use super::{bulk::encode_tasks, stream::Stream};
use crate::{
    api::wire,
    domain::timestamp::Timestamp,
    error::Error,
    store::{LiveCursor, Tasks},
};

/// A cursor of an export.
pub enum ExportCursor {
    /// Among the tasks outside the trash.
    Live(LiveCursor),
    /// Among all tasks; the reminders follow.
    Anywhere(Option<Uuid>),
    /// Among the reminders that have fired.
    ReminderEvent(Option<(Uuid, Timestamp)>),
}

impl ExportCursor {
    /// The beginning of an export.
    pub fn beginning(everything: bool) -> Self {
        if everything { Self::Anywhere(None) } else { Self::Live(None) }
    }

    /// The message at this cursor, and the next cursor; `None` at the end.
    async fn next(
        self,
        tasks: &Tasks,
        owner: &Owner,
    ) -> Result<(pb::ExportTasksResponse, Option<Self>), Error> {
        let of_tasks =
            |tasks| pb::ExportTasksResponse { tasks: encode_tasks(tasks), reminders: Vec::new() };
        Ok(match self {
            Self::Live(after) => {
                let (tasks, cursor) = tasks.export(owner, after).await?;
                (of_tasks(tasks), cursor.map(|cursor| Self::Live(Some(cursor))))
            }
            Self::Anywhere(after) => {
                let (tasks, cursor) = tasks.export_anywhere(owner, after).await?;
                let next =
                    cursor.map_or(Self::ReminderEvent(None), |cursor| Self::Anywhere(Some(cursor)));
                (of_tasks(tasks), Some(next))
            }
            Self::ReminderEvent(after) => {
                let (fired, cursor) = tasks.export_reminder_events(owner, after).await?;
                let reminders = fired.iter().map(wire::past_reminder).collect();
                let message = pb::ExportTasksResponse { tasks: Vec::new(), reminders };
                (message, cursor.map(|cursor| Self::ReminderEvent(Some(cursor))))
            }
        })
    }
}

/// The export of `owner` from `cursor` on. Each page is read when the client is ready for it
/// (backpressure).
pub async fn exported(
    tasks: Tasks,
    owner: Owner,
    cursor: ExportCursor,
) -> Result<Stream<pb::ExportTasksResponse>, Error> {
    // Read before the response begins, so an error is still its status.
    let (first, cursor) = cursor.next(&tasks, &owner).await?;
    let rest = stream::try_unfold(cursor, move |cursor: Option<ExportCursor>| {
        let (tasks, owner) = (tasks.clone(), owner.clone());
        async move {
            match cursor {
                None => Ok::<_, Error>(None),
                Some(cursor) => cursor.next(&tasks, &owner).await.map(Some),
            }
        }
    });
    let all = stream::iter([Ok(first)]).chain(rest).try_filter(|message| {
        // The last page may be empty.
        std::future::ready(!(message.tasks.is_empty() && message.reminders.is_empty()))
    });
    Ok(all.map_err(Into::into).boxed())
}
