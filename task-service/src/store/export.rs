//! The export of an owner's tasks, page by page.

use sea_orm::{
    ColumnTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};
use shared::auth::Owner;
use uuid::Uuid;

use super::{
    Tasks,
    owned::{live, owned},
    read,
    reminders::reminder_event,
};
use crate::{
    domain::{
        task::{ReminderEvent, Task},
        timestamp::Timestamp,
    },
    entity::{
        reminder,
        task::{Column, Entity},
    },
    error::Error,
    query::page,
};

/// The page size.
const PAGE_SIZE: usize = 100;

/// A cursor of an export: right after the task with this creation time and id, or the beginning.
pub type LiveCursor = Option<(Timestamp, Uuid)>;

impl Tasks {
    /// The tasks after this cursor, oldest first, and the next cursor; `None` at the end. No
    /// snapshot is held between pages.
    pub async fn export(
        &self,
        owner: &Owner,
        after: LiveCursor,
    ) -> Result<(Vec<Task>, LiveCursor), Error> {
        let mut selection = live(self.database.backend(), owner);
        if let Some((created_at, id)) = after {
            let columns = [Column::CreatedAt, Column::Id].map(|column| Expr::col((Entity, column)));
            let cursor = Expr::tuple([Expr::val(created_at.micros()), Expr::val(id)]);
            selection = selection.filter(Expr::tuple(columns).gt(cursor));
        }
        let page = selection.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
        let (tasks, goes_on) = self.export_page(owner, page).await?;
        let cursor = tasks.last().filter(|_| goes_on).map(|last| (last.created_at, last.id));
        Ok((tasks, cursor))
    }

    /// The tasks after this id, including those in the trash, in the order of ids, and the last id;
    /// `None` at the end. That order has an index over all of them.
    pub async fn export_anywhere(
        &self,
        owner: &Owner,
        after: Option<Uuid>,
    ) -> Result<(Vec<Task>, Option<Uuid>), Error> {
        let mut selection = owned::<Entity>(self.database.backend(), owner);
        if let Some(id) = after {
            selection = selection.filter(Column::Id.gt(id));
        }
        let page = selection.order_by_asc(Column::Id);
        let (tasks, goes_on) = self.export_page(owner, page).await?;
        let cursor = tasks.last().filter(|_| goes_on).map(|last| last.id);
        Ok((tasks, cursor))
    }

    /// The reminder events after this one, by task, and the last of them; `None` at the end.
    pub async fn export_reminder_events(
        &self,
        owner: &Owner,
        after: Option<(Uuid, Timestamp)>,
    ) -> Result<(Vec<ReminderEvent>, Option<(Uuid, Timestamp)>), Error> {
        use reminder::Column::{FiredAt, FiresAt, TaskId};
        let mut selection =
            owned::<reminder::Entity>(self.database.backend(), owner).filter(FiredAt.is_not_null());
        if let Some((task_id, fires_at)) = after {
            let cursor = Expr::tuple([Expr::val(task_id), Expr::val(fires_at.micros())]);
            let key = Expr::tuple([TaskId, FiresAt].map(Expr::col));
            selection = selection.filter(key.gt(cursor));
        }
        let rows = selection
            .order_by_asc(TaskId)
            .order_by_asc(FiresAt)
            .limit(PAGE_SIZE as u64)
            .all(self.database.reader())
            .await?;
        let goes_on = rows.len() == PAGE_SIZE;
        let reminders: Vec<ReminderEvent> = rows.into_iter().filter_map(reminder_event).collect();
        let cursor = reminders.last().filter(|_| goes_on).map(|last| (last.task_id, last.due_at));
        Ok((reminders, cursor))
    }

    /// The first of these tasks, as many as fit into one message, and whether there are more.
    async fn export_page(
        &self,
        owner: &Owner,
        selection: Select<Entity>,
    ) -> Result<(Vec<Task>, bool), Error> {
        let selection = selection.limit(PAGE_SIZE as u64);
        let mut tasks = read::all(self.database.reader(), owner, selection).await?;
        let fitting = page::fitting(&tasks);
        let goes_on = tasks.len() == PAGE_SIZE || fitting < tasks.len();
        tasks.truncate(fitting);
        Ok((tasks, goes_on))
    }
}
