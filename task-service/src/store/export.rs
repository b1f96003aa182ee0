//! All tasks of an owner, some at a time.

use sea_orm::{
    ColumnTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use shared::auth::Owner;
use uuid::Uuid;

use super::{
    Tasks,
    owned::{live, owned},
    reminders::fired,
    row::Row,
};
use crate::{
    domain::{
        task::{Fired, Task},
        timestamp::Moment,
    },
    entity::{
        reminder,
        task::{Column, Entity},
    },
    error::Error,
    query::page,
};

/// At most so many at a time.
const SIZE: usize = 100;

/// A place in an export: right after the task with this age and this id, or the beginning.
pub type Exported = Option<(Moment, Uuid)>;

impl Tasks {
    /// The tasks after this place, oldest first, and the place after them; `None` at the end.
    /// Nothing is held from one time to the next.
    pub async fn export(
        &self,
        owner: &Owner,
        after: Exported,
    ) -> Result<(Vec<Task>, Exported), Error> {
        let mut selection = live(self.database.backend(), owner);
        if let Some((created_at, id)) = after {
            let columns = [Column::CreatedAt, Column::Id].map(|column| Expr::col((Entity, column)));
            let place = Expr::tuple([Expr::val(created_at.micros()), Expr::val(id)]);
            selection = selection.filter(Expr::tuple(columns).gt(place));
        }
        let rows = selection
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Id)
            .limit(SIZE as u64)
            .into_partial_model::<Row>()
            .all(self.database.reader())
            .await?;
        let (tasks, goes_on) = read(rows, owner)?;
        let place = tasks.last().filter(|_| goes_on).map(|last| (last.created_at, last.id));
        Ok((tasks, place))
    }

    /// The tasks behind the one with this id, those in the trash too, in the order of their
    /// ids, and the last of them; `None` at the end. That order has an index for all of them.
    pub async fn export_anywhere(
        &self,
        owner: &Owner,
        after: Option<Uuid>,
    ) -> Result<(Vec<Task>, Option<Uuid>), Error> {
        let mut selection = owned::<Entity>(self.database.backend(), owner);
        if let Some(id) = after {
            selection = selection.filter(Column::Id.gt(id));
        }
        let rows = selection
            .order_by_asc(Column::Id)
            .limit(SIZE as u64)
            .into_partial_model::<Row>()
            .all(self.database.reader())
            .await?;
        let (tasks, goes_on) = read(rows, owner)?;
        let place = tasks.last().filter(|_| goes_on).map(|last| last.id);
        Ok((tasks, place))
    }

    /// The reminders that have fired, behind this one, by their tasks, and the last of them;
    /// `None` at the end.
    pub async fn export_fired(
        &self,
        owner: &Owner,
        after: Option<(Uuid, Moment)>,
    ) -> Result<(Vec<Fired>, Option<(Uuid, Moment)>), Error> {
        use reminder::Column::{FiredAt, FiresAt, TaskId};
        let mut selection =
            owned::<reminder::Entity>(self.database.backend(), owner).filter(FiredAt.is_not_null());
        if let Some((task_id, fires_at)) = after {
            let place = Expr::tuple([Expr::val(task_id), Expr::val(fires_at.micros())]);
            let key = Expr::tuple([TaskId, FiresAt].map(Expr::col));
            selection = selection.filter(key.gt(place));
        }
        let rows = selection
            .order_by_asc(TaskId)
            .order_by_asc(FiresAt)
            .limit(SIZE as u64)
            .all(self.database.reader())
            .await?;
        let goes_on = rows.len() == SIZE;
        let reminders: Vec<Fired> = rows.into_iter().filter_map(fired).collect();
        let place = reminders.last().filter(|_| goes_on).map(|last| (last.task_id, last.due_at));
        Ok((reminders, place))
    }
}

/// As many of the tasks in `rows` as fit into one message, and whether there are more.
fn read(rows: Vec<Row>, owner: &Owner) -> Result<(Vec<Task>, bool), Error> {
    let is_full = rows.len() == SIZE;
    let mut tasks = rows.into_iter().map(|row| row.of(owner)).collect::<Result<Vec<_>, _>>()?;
    let fitting = page::fitting(&tasks);
    let goes_on = is_full || fitting < tasks.len();
    tasks.truncate(fitting);
    Ok((tasks, goes_on))
}
