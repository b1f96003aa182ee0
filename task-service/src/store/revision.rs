//! The change counter (revision) and usage of a user. Its row is also the lock at which
//! PostgreSQL's writers of one user queue.

use sea_orm::{
    ActiveValue::Set,
    Insert, UpdateMany,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use shared::auth::Owner;

use super::{
    owned::{owned_insert, owned_update, update_of_every},
    scope::{ErasedUser, EveryUser, Scope},
};
use crate::{
    domain::quota::{Quota, Usage},
    entity::revision::{ActiveModel, Column, Entity, Model},
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

/// The usage in the row.
pub fn stored_usage(row: &Model) -> Usage {
    Usage { tasks: row.tasks, bytes: row.bytes }
}
