//! The insert of a task in one statement, where the database supports it: it saves three round
//! trips, and the row lock of the user is held for less time.

use sea_orm::{
    ActiveValue::Set,
    QueryTrait,
    sea_query::{CommonTableExpression, Expr, InsertStatement, Query, WithClause, WithQuery},
};
use shared::{auth::Owner, error::Refusal};

use super::{
    Tasks,
    dialect::Dialect,
    notify::PendingNotification,
    revision::{next_number, next_number_values},
    row::{self, set_columns},
    statement::Text,
};
use crate::{
    domain::task::{Content, Position, Task},
    entity::{
        revision,
        task::{ActiveModel, Column, Entity},
    },
    error::Error,
};

/// Whether [`insert`] supports this content: reminders need other rows as well. In distributed tables,
/// a chained insert goes through the coordinator and is committed in two phases.
pub fn is_supported(tasks: &Tasks, content: &Content) -> bool {
    let is_cheap = tasks.database.backend().chains_inserts() && !tasks.is_distributed;
    is_cheap && content.reminders.as_slice().is_empty()
}

/// Inserts `task` as a change of its own, and returns it with its revision and position.
pub async fn insert(tasks: &Tasks, owner: &Owner, task: Task) -> Result<Task, Error> {
    static TEXT: Text = Text::new();
    let user_id = owner.user().as_str();
    let row = || ActiveModel { user_id: Set(user_id.to_owned()), ..row::whole(&task) };
    let (base, by, quota) = (tasks.epoch().base, row::usage(&task), Some(tasks.quota));
    let mut values = next_number_values(base, owner, by, quota);
    let own = set_columns(row()).filter(|(column, _)| taken(*column).is_none());
    values.extend(own.map(|(_, value)| value));
    let build = || statement(next_number(base, owner, by, quota).into_query(), row());
    let statement = TEXT.bind(tasks.database.backend(), values, build);
    let _guard = tasks.queues.changes.acquire(user_id).await?;
    let notification = PendingNotification::of_change(&tasks.pubsub, user_id);
    let row = notification.send_after(statement.first(tasks.database.writer())).await?;
    let revision = row.ok_or(Refusal::QuotaExceeded)?.try_get_by_index(0)?;
    Ok(Task { revision, position: Position::at_end(revision, 0), ..task })
}

/// Takes the owner's next number and inserts the row with it; returns no row and does neither if
/// the quota is used up.
#[expect(clippy::disallowed_methods, reason = "inserts rows of the owner alone")]
fn statement(mut number: InsertStatement, row: ActiveModel) -> WithQuery {
    number.returning_col(revision::Column::Revision);
    let mut named = CommonTableExpression::new();
    named.query(number).table_name("taken");
    let mut with = WithClause::new();
    with.cte(named);
    let (columns, values): (Vec<_>, Vec<_>) = set_columns(row)
        .map(|(column, value)| (column, taken(column).unwrap_or(Expr::val(value))))
        .unzip();
    let select = Query::select().exprs(values).from("taken").take();
    let mut insert = Query::insert().into_table(Entity).columns(columns).take();
    let whole = insert.select_from(select).is_ok();
    debug_assert!(whole, "a value for each column");
    insert.returning_col(Column::Revision).take().with(with)
}

/// The value of a column that depends on the number.
fn taken(column: Column) -> Option<Expr> {
    match column {
        Column::Revision => Some(Expr::col(("taken", revision::Column::Revision))),
        Column::Position => Some(Expr::cust(Position::at_end_in_sql("taken.revision"))),
        _ => None,
    }
}
