//! The change counter (revision) and usage of a user. Its row is also the lock at which
//! PostgreSQL's writers of one user queue.

use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DbErr, Insert, QueryTrait, UpdateMany, Value,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use shared::auth::Owner;

use super::{
    owned::{owned_insert, owned_update, update_of_every},
    scope::{ErasedUser, EveryUser, Scope},
    statement::Text,
};
use crate::{
    domain::quota::{Quota, Usage},
    entity::revision::{ActiveModel, Column, Entity},
};

/// The value of `column` plus `count`.
fn plus(column: Column, count: i64) -> Expr {
    Expr::col((Entity, column)).add(count)
}

/// Takes the owner's next change number and adds to the usage, unless that exceeds the quota
/// `within`. The first number comes after `base`.
pub fn next_number(
    base: i64,
    owner: &Owner,
    by: Usage,
    within: Option<Quota>,
) -> Insert<ActiveModel> {
    let first = ActiveModel {
        revision: Set(base + 1),
        purged: Set(base),
        tasks: Set(by.tasks),
        bytes: Set(by.bytes),
        ..Default::default()
    };
    let mut on_conflict = OnConflict::column(Column::UserId);
    on_conflict.value(Column::Revision, plus(Column::Revision, 1));
    if by != Usage::default() {
        on_conflict.value(Column::Tasks, plus(Column::Tasks, by.tasks));
        on_conflict.value(Column::Bytes, plus(Column::Bytes, by.bytes));
    }
    if let Some(quota) = within {
        on_conflict
            .action_and_where(plus(Column::Tasks, by.tasks).lte(quota.tasks))
            .action_and_where(plus(Column::Bytes, by.bytes).lte(quota.bytes));
    }
    owned_insert(owner, first).on_conflict(on_conflict)
}

/// The values of [`next_number`], in its order.
pub fn next_number_values(
    base: i64,
    owner: &Owner,
    by: Usage,
    within: Option<Quota>,
) -> Vec<Value> {
    let first = [base + 1, base, by.tasks, by.bytes, 1];
    let mut values: Vec<Value> = vec![owner.user().as_str().into()];
    values.extend(first.map(Value::from));
    if by != Usage::default() {
        values.extend([by.tasks, by.bytes].map(Value::from));
    }
    if let Some(quota) = within {
        values.extend([by.tasks, quota.tasks, by.bytes, quota.bytes].map(Value::from));
    }
    values
}

/// Takes `count` change numbers of a user who has some, and the row lock.
pub fn take_numbers(user: &impl Scope, count: i64) -> UpdateMany<Entity> {
    owned_update::<Entity>(user).col_expr(Column::Revision, plus(Column::Revision, count))
}

/// Takes a change number of an erased user and invalidates all cursors up to it.
pub fn close_history(user: &ErasedUser) -> UpdateMany<Entity> {
    closed(owned_update(user), 1)
}

/// Takes `jump` change numbers of each user and invalidates all cursors up to them.
pub fn advance_histories(all: EveryUser, jump: i64) -> UpdateMany<Entity> {
    closed(update_of_every(all), jump)
}

/// Takes `count` change numbers and invalidates all cursors up to the last: clients that sync or
/// watch start over.
fn closed(update: UpdateMany<Entity>, count: i64) -> UpdateMany<Entity> {
    update
        .col_expr(Column::Revision, plus(Column::Revision, count))
        .col_expr(Column::Purged, plus(Column::Revision, count))
}

/// Records that the deletions of a user up to this change number are purged.
pub fn purged_until(user: &impl Scope, revision: i64) -> UpdateMany<Entity> {
    let purged = || Expr::col(Column::Purged);
    let greater = Expr::case(purged().lt(revision), Expr::val(revision)).finally(purged());
    owned_update::<Entity>(user).col_expr(Column::Purged, greater.into())
}

/// Adds to the usage of a user.
pub fn add_usage(user: &impl Scope, more: Usage) -> UpdateMany<Entity> {
    owned_update::<Entity>(user)
        .col_expr(Column::Tasks, plus(Column::Tasks, more.tasks))
        .col_expr(Column::Bytes, plus(Column::Bytes, more.bytes))
}

/// Takes the owner's next change number and adds to the usage; returns both.
pub async fn take_number(
    on: &impl ConnectionTrait,
    base: i64,
    owner: &Owner,
    by: Usage,
) -> Result<(i64, Usage), DbErr> {
    static PLAIN: Text = Text::new();
    static ADDING: Text = Text::new();
    let text = if by == Usage::default() { &PLAIN } else { &ADDING };
    let build = || {
        let taken = [Column::Revision, Column::Tasks, Column::Bytes];
        let mut insert = next_number(base, owner, by, None).into_query();
        insert.returning(Query::returning().columns(taken)).take()
    };
    let values = next_number_values(base, owner, by, None);
    let row = text.bind(on.get_database_backend(), values, build).first(on).await?;
    let row = row.ok_or(DbErr::RecordNotInserted)?;
    let usage = Usage { tasks: row.try_get_by_index(1)?, bytes: row.try_get_by_index(2)? };
    Ok((row.try_get_by_index(0)?, usage))
}
