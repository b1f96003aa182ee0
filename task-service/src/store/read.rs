//! The reads of tasks: every select of whole tasks ends here.

use sea_orm::{
    QuerySelect, QueryTrait, Select, StatementBuilder,
    sea_query::{Expr, SelectStatement},
};
use server::db::ReadRows;

use super::{
    row::{Row, columns},
    scope::Scope,
};
use crate::{domain::task::Task, entity::task::Entity, error::Error};

/// The tasks of `user` that `selection` finds, in its order.
pub async fn all(
    on: &impl ReadRows,
    user: &impl Scope,
    selection: Select<Entity>,
) -> Result<Vec<Task>, Error> {
    tasks(on, user, &whole(selection)).await
}

/// The first task of `user` that `selection` finds.
pub async fn first(
    on: &impl ReadRows,
    user: &impl Scope,
    selection: Select<Entity>,
) -> Result<Option<Task>, Error> {
    Ok(tasks(on, user, &whole(selection.limit(1))).await?.pop())
}

/// `selection` of the columns of a [`Row`].
pub fn whole(selection: Select<Entity>) -> SelectStatement {
    selection.select_only().expr(Expr::cust(columns())).into_query()
}

/// The tasks of `user` in the rows of a statement, which is that of [`whole`].
#[expect(clippy::disallowed_methods, reason = "the selection has the owner filter")]
pub async fn tasks(
    on: &impl ReadRows,
    user: &impl Scope,
    statement: &impl StatementBuilder,
) -> Result<Vec<Task>, Error> {
    let statement = on.get_database_backend().build(statement);
    on.read_rows(statement, |values| Row::read(values)?.of(user)).await
}
