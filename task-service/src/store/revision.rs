//! The row that counts a user's changes: how its next number is taken, and what else is noted
//! in it. It is also the lock that PostgreSQL's writers of one user queue at.

use sea_orm::{
    ActiveValue::Set,
    Insert, UpdateMany,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use shared::auth::Owner;

use super::{
    owned::{owned_insert, owned_update, update_of_every},
    scope::{Departed, EveryUser, Scope},
};
use crate::{
    domain::quota::{Quota, Usage},
    entity::revision::{ActiveModel, Column, Entity, Model},
};

/// The value of `column` and so much more.
fn plus(column: Column, count: i64) -> Expr {
    Expr::col((Entity, column)).add(count)
}

/// Takes the owner's next number, and counts so much more; only as long as that stays `within`
/// a quota, if there is one. The first number of all comes behind `base`.
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

/// Takes so many numbers of a user who has some, and the row as a lock.
pub fn take_numbers(user: &impl Scope, count: i64) -> UpdateMany<Entity> {
    owned_update::<Entity>(user).col_expr(Column::Revision, plus(Column::Revision, count))
}

/// Takes a number of a user whose account is gone, and forgets everything up to it.
pub fn close_history(user: &Departed) -> UpdateMany<Entity> {
    closed(owned_update(user), 1)
}

/// Takes so many numbers of each user at once, and forgets everything up to them.
pub fn advance_histories(all: EveryUser, jump: i64) -> UpdateMany<Entity> {
    closed(update_of_every(all), jump)
}

/// Takes so many numbers and forgets everything up to the last of them: who syncs or watches
/// starts over, and never goes on past what is missing.
fn closed(update: UpdateMany<Entity>, count: i64) -> UpdateMany<Entity> {
    update
        .col_expr(Column::Revision, plus(Column::Revision, count))
        .col_expr(Column::Purged, plus(Column::Revision, count))
}

/// Notes that the deletions of a user up to the one with this number are forgotten.
pub fn forgotten_until(user: &impl Scope, revision: i64) -> UpdateMany<Entity> {
    let purged = || Expr::col(Column::Purged);
    let greater = Expr::case(purged().lt(revision), Expr::val(revision)).finally(purged());
    owned_update::<Entity>(user).col_expr(Column::Purged, greater.into())
}

/// Notes that a user has so much more.
pub fn counted(user: &impl Scope, more: Usage) -> UpdateMany<Entity> {
    owned_update::<Entity>(user)
        .col_expr(Column::Tasks, plus(Column::Tasks, more.tasks))
        .col_expr(Column::Bytes, plus(Column::Bytes, more.bytes))
}

/// What a user has, as the row says.
pub fn stored_usage(row: &Model) -> Usage {
    Usage { tasks: row.tasks, bytes: row.bytes }
}
