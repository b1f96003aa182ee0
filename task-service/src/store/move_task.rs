//! The move of a task in its user's order.

use sea_orm::{
    ColumnTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use shared::auth::Owner;
use uuid::Uuid;

use super::{
    Tasks,
    change::{Change, Outcome},
    edit::check_etag,
    find,
    owned::live,
    read,
    write::replace,
};
use crate::{
    domain::{
        etag::Etag,
        task::{MAX_POSITION_LENGTH, Position, Task},
        timestamp::Timestamp,
    },
    entity::task::{Column, Entity},
    error::Error,
};

/// The target of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveTarget {
    /// Right before this task.
    Before(Uuid),
    /// Right after this task.
    After(Uuid),
    /// At the end.
    End,
}

impl Tasks {
    /// Moves a task, if it is at the version `etag`. Other tasks keep their positions, unless there
    /// is none left in between: then some behind are spread.
    pub async fn move_task(
        &self,
        owner: &Owner,
        id: Uuid,
        target: MoveTarget,
        etag: Option<&Etag>,
    ) -> Result<Task, Error> {
        let change = Change::begin(self, owner).await?;
        let now = self.now();
        let outcome = move_in(&change, owner, id, target, etag, now).await;
        change.end(outcome).await
    }
}

async fn move_in(
    change: &Change,
    owner: &Owner,
    id: Uuid,
    target: MoveTarget,
    etag: Option<&Etag>,
    now: Timestamp,
) -> Result<Outcome<Task>, Error> {
    let on = &change.transaction;
    let before = find(on, owner, id).await?;
    check_etag(etag, &before)?;
    let (left, right) = match target {
        MoveTarget::Before(other) if other == id => return Ok(Outcome::Unchanged(before)),
        MoveTarget::After(other) if other == id => return Ok(Outcome::Unchanged(before)),
        MoveTarget::Before(other) => {
            let right = find(on, owner, other).await?;
            (neighbour(change, owner, &right, Side::Before).await?, Some(right))
        }
        MoveTarget::After(other) => {
            let left = find(on, owner, other).await?;
            let right = neighbour(change, owner, &left, Side::After).await?;
            (Some(left), right)
        }
        MoveTarget::End => (None, None),
    };
    let is_there = |other: &Option<Task>| other.as_ref().is_some_and(|other| other.id == id);
    if is_there(&left) || is_there(&right) {
        return Ok(Outcome::Unchanged(before));
    }
    let end = Position::at_end(change.revision, 0);
    let position = match (&left, &right) {
        (None, None) => end,
        (left, right) => {
            let before = left.as_ref().map(|task| &task.position);
            let after = right.as_ref().map_or(&end, |task| &task.position);
            let is_room = before.is_none_or(|before| before < after);
            match is_room.then(|| Position::between(before, after)) {
                Some(position) if position.as_str().len() <= MAX_POSITION_LENGTH => position,
                _ => spread(change, owner, id, left.as_ref(), now).await?,
            }
        }
    };
    let mut task = Task { position, updated_at: now.max(before.updated_at), ..before.clone() };
    replace(change, owner, &before, &mut task, now).await?;
    Ok(Outcome::Changed(task))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// The sort key of `task` in the order.
fn order_key(task: &Task) -> Expr {
    Expr::tuple([Expr::val(task.position.as_str()), Expr::val(task.id)])
}

/// The sort key of a row in the order.
fn order_key_of_row() -> Expr {
    Expr::tuple([Column::Position, Column::Id].map(|column| Expr::col((Entity, column))))
}

/// The neighbour of `task` on this side.
async fn neighbour(
    change: &Change,
    owner: &Owner,
    task: &Task,
    side: Side,
) -> Result<Option<Task>, Error> {
    let (key, columns) = (order_key(task), order_key_of_row());
    let selection = match side {
        Side::Before => live(change.transaction.backend(), owner)
            .filter(columns.lt(key))
            .order_by_desc(Column::Position)
            .order_by_desc(Column::Id),
        Side::After => live(change.transaction.backend(), owner)
            .filter(columns.gt(key))
            .order_by_asc(Column::Position)
            .order_by_asc(Column::Id),
    };
    read::first(&change.transaction, owner, selection).await
}

/// Spreads tasks behind `left`, as many as needed, and returns the position right behind `left` for
/// the task `id`.
async fn spread(
    change: &Change,
    owner: &Owner,
    id: Uuid,
    left: Option<&Task>,
    now: Timestamp,
) -> Result<Position, Error> {
    let end = Position::at_end(change.revision, 0);
    let mut count = 64;
    loop {
        let mut behind = live(change.transaction.backend(), owner).filter(Column::Id.ne(id));
        if let Some(left) = left {
            behind = behind.filter(order_key_of_row().gt(order_key(left)));
        }
        let behind =
            behind.order_by_asc(Column::Position).order_by_asc(Column::Id).limit(count + 1);
        let tasks = read::all(&change.transaction, owner, behind).await?;
        let all = usize::try_from(count).map_or(true, |count| tasks.len() <= count);
        let (next, moved) = match tasks.split_last() {
            Some((last, rest)) if !all => (&last.position, rest),
            _ => (&end, &tasks[..]),
        };
        let left = left.map(|task| &task.position);
        // Tasks can share a position after an undelete.
        let is_room = left.is_none_or(|left| left < next);
        let wanted = if is_room { moved.len() + 1 } else { 0 };
        let mut positions = Position::spread(left, next, wanted).into_iter();
        let fits = positions.clone().all(|new| new.as_str().len() <= MAX_POSITION_LENGTH);
        if let Some(first) = positions.next().filter(|_| fits || all) {
            for (before, position) in moved.iter().zip(positions) {
                let mut task = Task { position, ..before.clone() };
                replace(change, owner, before, &mut task, now).await?;
            }
            return Ok(first);
        }
        count *= 2;
    }
}
