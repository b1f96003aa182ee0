//! The insert of a task in one statement, where the database supports it: it saves three round
//! trips, and the row lock of the user is held for less time.

use sea_orm::{
    ActiveModelTrait, ActiveValue, ConnectionTrait, DbErr, Iterable, QueryTrait,
    sea_query::{CommonTableExpression, Expr, Query, SimpleExpr, WithClause, WithQuery},
};
use shared::{auth::Owner, error::Refusal};

use super::{Tasks, dialect::Dialect, notify::PendingNotification, revision::next_number, row};
use crate::{
    domain::{
        quota::{Quota, Usage},
        task::{Content, Position, Task},
    },
    entity::{
        revision,
        task::{Column, Entity},
    },
    error::Error,
};

/// Whether [`insert`] supports this content: reminders need other rows as well.
pub fn is_supported(tasks: &Tasks, content: &Content) -> bool {
    tasks.database.backend().chains_inserts() && content.reminders.as_slice().is_empty()
}

/// Inserts `task` as a change of its own, and returns it with its revision and position.
#[expect(clippy::disallowed_methods, reason = "the statement below has the owner")]
pub async fn insert(tasks: &Tasks, owner: &Owner, task: Task) -> Result<Task, Error> {
    let usage = row::usage(&task);
    let statement = statement(owner, &task, tasks.epoch().base, usage, tasks.quota)?;
    let _guard = tasks.queues.changes.acquire(owner.user().as_str()).await?;
    let notification = PendingNotification::of_change(&tasks.pubsub, owner.user().as_str());
    let row = notification.send_after(tasks.database.writer().query_one(&statement)).await?;
    let row = row.ok_or(Refusal::QuotaExceeded)?;
    let revision = row.try_get_by_index(0)?;
    Ok(Task { revision, position: Position::at_end(revision, 0), ..task })
}

/// Takes the owner's next number and inserts the row with it; returns no row and does neither if
/// the quota is used up.
#[expect(clippy::disallowed_methods, reason = "inserts rows of the owner alone")]
fn statement(
    owner: &Owner,
    task: &Task,
    base: i64,
    more: Usage,
    quota: Quota,
) -> Result<WithQuery, DbErr> {
    let number = revision::Column::Revision;
    let mut taken = next_number(base, owner, more, Some(quota)).into_query();
    taken.returning_col(number);
    let mut named = CommonTableExpression::new();
    named.query(taken).table_name("taken");
    let mut with = WithClause::new();
    with.cte(named);

    let mut row = row::whole(task);
    let mut columns = Vec::new();
    let mut values: Vec<SimpleExpr> = Vec::new();
    for column in Column::iter() {
        let value = match column {
            Column::UserId => Expr::val(owner.user().as_str()),
            Column::Revision => Expr::col(("taken", number)),
            Column::Position => Expr::cust(Position::at_end_in_sql("taken.revision")),
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
