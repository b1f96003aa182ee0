//! The row that counts a user's changes: how its next number is taken, and what else is noted
//! in it. It is also the lock that PostgreSQL's writers of one user queue at.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, Insert, QueryFilter, UpdateMany,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use shared::auth::Owner;

use super::{
    departed::Departed,
    owned::{departed_update, owned_insert, owned_update},
};
use crate::{
    entity::revision::{ActiveModel, Column, Entity, Model},
    quota::{Quota, Usage},
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
#[expect(clippy::disallowed_methods, reason = "what is due is nobody's call")]
pub fn take_numbers(user_id: &str, count: i64) -> UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::UserId.eq(user_id))
        .col_expr(Column::Revision, plus(Column::Revision, count))
}

/// Takes a number of a user whose account is gone, and forgets everything up to it.
pub fn close_history(user: &Departed) -> UpdateMany<Entity> {
    closed(departed_update(user), 1)
}

/// Takes so many numbers of each user at once, and forgets everything up to them.
#[expect(clippy::disallowed_methods, reason = "a restore is nobody's call")]
pub fn advance_histories(jump: i64) -> UpdateMany<Entity> {
    closed(Entity::update_many(), jump)
}

/// Takes so many numbers and forgets everything up to the last of them: who syncs or watches
/// starts over, and never goes on past what is missing.
fn closed(update: UpdateMany<Entity>, count: i64) -> UpdateMany<Entity> {
    update
        .col_expr(Column::Revision, plus(Column::Revision, count))
        .col_expr(Column::Purged, plus(Column::Revision, count))
}

/// Notes that the deletions of a user up to the one with this number are forgotten.
#[expect(clippy::disallowed_methods, reason = "the purge is nobody's call")]
pub fn forgotten_until(user_id: &str, revision: i64) -> UpdateMany<Entity> {
    let purged = || Expr::col(Column::Purged);
    let greater = Expr::case(purged().lt(revision), Expr::val(revision)).finally(purged());
    Entity::update_many()
        .filter(Column::UserId.eq(user_id))
        .col_expr(Column::Purged, greater.into())
}

/// Notes that the owner has so much more.
pub fn counted(owner: &Owner, by: Usage) -> UpdateMany<Entity> {
    owned_update::<Entity>(owner)
        .col_expr(Column::Tasks, plus(Column::Tasks, by.tasks))
        .col_expr(Column::Bytes, plus(Column::Bytes, by.bytes))
}

/// Notes that a user has so much less.
#[expect(clippy::disallowed_methods, reason = "the purge is nobody's call")]
pub fn freed(user_id: &str, by: Usage) -> UpdateMany<Entity> {
    Entity::update_many()
        .filter(Column::UserId.eq(user_id))
        .col_expr(Column::Tasks, plus(Column::Tasks, -by.tasks))
        .col_expr(Column::Bytes, plus(Column::Bytes, -by.bytes))
}

/// What a user has, as the row says.
pub fn stored_usage(row: &Model) -> Usage {
    Usage { tasks: row.tasks, bytes: row.bytes }
}
