//! What an export says, a message at a time.

use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use proto::task::v1 as pb;
use shared::auth::Owner;
use tonic::Status;
use uuid::Uuid;

use super::bulk::said;
use crate::{
    api::wire,
    domain::timestamp::Moment,
    error::Error,
    store::{Exported, Tasks},
};

/// A place in an export.
pub enum Place {
    /// Among the tasks outside the trash.
    Live(Exported),
    /// Among all tasks; the reminders follow.
    Anywhere(Option<Uuid>),
    /// Among the reminders that have fired.
    Fired(Option<(Uuid, Moment)>),
}

impl Place {
    /// Where an export begins.
    pub fn beginning(everything: bool) -> Self {
        if everything { Self::Anywhere(None) } else { Self::Live(None) }
    }

    /// What is said here, and where that leads; `None` at the end.
    async fn say(
        self,
        tasks: &Tasks,
        owner: &Owner,
    ) -> Result<(pb::ExportTasksResponse, Option<Self>), Error> {
        let of_tasks =
            |tasks| pb::ExportTasksResponse { tasks: said(tasks), reminders: Vec::new() };
        Ok(match self {
            Self::Live(after) => {
                let (tasks, place) = tasks.export(owner, after).await?;
                (of_tasks(tasks), place.map(|place| Self::Live(Some(place))))
            }
            Self::Anywhere(after) => {
                let (tasks, place) = tasks.export_anywhere(owner, after).await?;
                let next = place.map_or(Self::Fired(None), |place| Self::Anywhere(Some(place)));
                (of_tasks(tasks), Some(next))
            }
            Self::Fired(after) => {
                let (fired, place) = tasks.export_fired(owner, after).await?;
                let reminders = fired.iter().map(wire::past_reminder).collect();
                let message = pb::ExportTasksResponse { tasks: Vec::new(), reminders };
                (message, place.map(|place| Self::Fired(Some(place))))
            }
        })
    }
}

/// Everything of `owner` from `place` on. What comes next is only read when it is asked for.
pub async fn exported(
    tasks: Tasks,
    owner: Owner,
    place: Place,
) -> Result<BoxStream<'static, Result<pb::ExportTasksResponse, Status>>, Error> {
    // Read before the answer begins, which then can still be a refusal.
    let (first, place) = place.say(&tasks, &owner).await?;
    let rest = stream::try_unfold(place, move |place: Option<Place>| {
        let (tasks, owner) = (tasks.clone(), owner.clone());
        async move {
            match place {
                None => Ok::<_, Error>(None),
                Some(place) => place.say(&tasks, &owner).await.map(Some),
            }
        }
    });
    let all = stream::iter([Ok(first)]).chain(rest).try_filter(|message| {
        // The last one is empty where the number of tasks comes out even.
        std::future::ready(!(message.tasks.is_empty() && message.reminders.is_empty()))
    });
    Ok(all.map_err(Into::into).boxed())
}
