//! All tasks of an owner, some at a time.

use sea_orm::{
    QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use shared::auth::Owner;
use uuid::Uuid;

use super::{Tasks, owned::live, row::Row};
use crate::{
    entity::task::{Column, Entity},
    error::Error,
    moment::Moment,
    page,
    task::Task,
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
        let mut selection = live(owner);
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
        let goes_on = rows.len() == SIZE;
        let mut tasks = rows.into_iter().map(|row| row.of(owner)).collect::<Result<Vec<_>, _>>()?;
        let fitting = page::fitting(&tasks);
        let goes_on = goes_on || fitting < tasks.len();
        tasks.truncate(fitting);
        let place = tasks.last().filter(|_| goes_on).map(|last| (last.created_at, last.id));
        Ok((tasks, place))
    }
}
