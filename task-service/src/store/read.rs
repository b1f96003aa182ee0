//! The reads of tasks: every select of whole tasks ends here.

use sea_orm::{
    ConnectionTrait, QueryResult, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, SelectStatement},
};

use super::{
    row::{Row, columns},
    scope::Scope,
};
use crate::{domain::task::Task, entity::task::Entity, error::Error};

/// The tasks of `user` that `selection` finds, in its order.
#[expect(clippy::disallowed_methods, reason = "the selection has the owner filter")]
pub async fn all(
    on: &impl ConnectionTrait,
    user: &impl Scope,
    selection: Select<Entity>,
) -> Result<Vec<Task>, Error> {
    let rows = on.query_all(&whole(selection)).await?;
    rows.iter().map(|row| task(row, user)).collect()
}

/// The first task of `user` that `selection` finds.
#[expect(clippy::disallowed_methods, reason = "the selection has the owner filter")]
pub async fn first(
    on: &impl ConnectionTrait,
    user: &impl Scope,
    selection: Select<Entity>,
) -> Result<Option<Task>, Error> {
    let row = on.query_one(&whole(selection.limit(1))).await?;
    row.map(|row| task(&row, user)).transpose()
}

/// `selection` of the columns of a [`Row`].
pub fn whole(selection: Select<Entity>) -> SelectStatement {
    selection.select_only().expr(Expr::cust(columns())).into_query()
}

/// The task of `user` in a row of [`whole`].
pub fn task(row: &QueryResult, user: &impl Scope) -> Result<Task, Error> {
    Row::read(row)?.of(user)
}
