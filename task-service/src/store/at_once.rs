//! A new task in one statement, where the database can: it saves a creation three trips to
//! the server, and the row that a user's changes queue at is held for less.

use sea_orm::{
    ActiveModelTrait, ActiveValue, ConnectionTrait, DbBackend, DbErr, Iterable,
    sea_query::{
        CommonTableExpression, Expr, ExprTrait, OnConflict, Query, SimpleExpr, WithClause,
        WithQuery,
    },
};
use shared::auth::Owner;

use super::{Tasks, news::News, row};
use crate::{
    entity::{
        revision,
        task::{Column, Entity},
    },
    error::Error,
    quota::{Quota, Usage},
    task::{Content, Position, Task},
};

/// Whether [`insert`] can store a task with this content. SQLite does not insert what another
/// insert returns, and a task with reminders writes other rows as well.
pub fn can(tasks: &Tasks, content: &Content) -> bool {
    tasks.database.backend() == DbBackend::Postgres && content.reminders.as_slice().is_empty()
}

/// Stores `task` as a change of its own, and returns it with the number and the place in
/// the order that it got.
pub async fn insert(tasks: &Tasks, owner: &Owner, task: Task) -> Result<Task, Error> {
    let usage = row::usage(&task);
    let statement = statement(owner, &task, tasks.epoch().base, usage, tasks.quota)?;
    let _turn = tasks.turns.changes.take(owner.user().as_str()).await?;
    let news = News::of(&tasks.hub, owner.user().as_str());
    let row = news.after(tasks.database.writer().query_one(&statement)).await?;
    let row = row.ok_or(Error::QuotaExceeded)?;
    let revision = row.try_get_by_index(0)?;
    Ok(Task { revision, position: Position::at_end(revision, 0), ..task })
}

/// Takes the owner's next number, as [`Change::begin`] does, and inserts the row with it. Where
/// the owner may not have so much, neither happens and no row comes back.
///
/// [`Change::begin`]: super::change::Change::begin
fn statement(
    owner: &Owner,
    task: &Task,
    base: i64,
    more: Usage,
    quota: Quota,
) -> Result<WithQuery, DbErr> {
    let user_id = || Expr::val(owner.user().as_str());
    let plus = |column, count: i64| Expr::col((revision::Entity, column)).add(count);
    let purged = revision::Column::Purged;
    let (tasks, bytes) = (revision::Column::Tasks, revision::Column::Bytes);
    // Each part is moved into the next: the statement is made anew for every task.
    let mut on_conflict = OnConflict::column(revision::Column::UserId);
    on_conflict
        .value(revision::Column::Revision, plus(revision::Column::Revision, 1))
        .value(tasks, plus(tasks, more.tasks))
        .value(bytes, plus(bytes, more.bytes))
        .action_and_where(plus(tasks, more.tasks).lte(quota.tasks))
        .action_and_where(plus(bytes, more.bytes).lte(quota.bytes));
    let taken = Query::insert()
        .into_table(revision::Entity)
        .columns([revision::Column::UserId, revision::Column::Revision, purged, tasks, bytes])
        .values([
            user_id(),
            Expr::val(base + 1),
            Expr::val(base),
            Expr::val(more.tasks),
            Expr::val(more.bytes),
        ])
        .map_err(|error| DbErr::Custom(error.to_string()))?
        .on_conflict(on_conflict)
        .returning_col(revision::Column::Revision)
        .take();
    let mut named = CommonTableExpression::new();
    named.query(taken).table_name("taken");
    let mut with = WithClause::new();
    with.cte(named);

    let mut row = row::whole(task);
    let mut columns = Vec::new();
    let mut values: Vec<SimpleExpr> = Vec::new();
    for column in Column::iter() {
        let value = match column {
            Column::UserId => user_id(),
            Column::Revision => Expr::col(("taken", revision::Column::Revision)),
            // As `Position::at_end` spells it.
            Column::Position => Expr::cust("lpad(to_hex(taken.revision), 12, '0') || 'i'"),
            _ => match row.take(column) {
                ActiveValue::Set(value) | ActiveValue::Unchanged(value) => Expr::val(value),
                ActiveValue::NotSet => continue,
            },
        };
        columns.push(column);
        values.push(value);
    }
    let select = Query::select().exprs(values).from("taken").take();
    let insert = Query::insert()
        .into_table(Entity)
        .columns(columns)
        .select_from(select)
        .map_err(|error| DbErr::Custom(error.to_string()))?
        .returning_col(Column::Revision)
        .take();
    Ok(insert.with(with))
}
