//! The statements that see the rows of all users, but for those of reminders. No user calls
//! them: each takes the proof of who acts for [`EveryUser`], or of one user after the other.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DeleteMany, EntityTrait, Insert, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, SelectGetableTuple, Selector, UpdateMany,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict, SelectStatement},
};
use uuid::Uuid;

use super::{
    owned::{delete_of_every, of_every, owned_delete, owned_update, with_unfinished},
    scope::{EveryUser, OneUser, Scope},
};
use crate::{
    entity::{import, reminder, request, sequence, task},
    query::full_text::{Indexed, RULES},
};

/// Names the epoch of the database: a number that says no more than that it is this one.
pub const EPOCH: &str = "epoch";

/// Names the number behind which a user's first change number comes.
pub const FIRST: &str = "first_revision";

/// The imports of all users that are not all there yet.
pub fn unfinished_imports(all: EveryUser) -> Select<import::Entity> {
    of_every(all)
}

/// A delete of at most `limit` tasks of an import that is not all there.
pub fn unfinished_tasks(user: &impl Scope, revision: i64, limit: u64) -> DeleteMany<task::Entity> {
    let some = some_unfinished(user, revision, limit);
    owned_delete(user).filter(task::Column::Id.in_subquery(some))
}

/// A delete of the reminders of what [`unfinished_tasks`] is about to delete.
pub fn unfinished_reminders(
    user: &impl Scope,
    revision: i64,
    limit: u64,
) -> DeleteMany<reminder::Entity> {
    let some = some_unfinished(user, revision, limit);
    owned_delete(user).filter(reminder::Column::TaskId.in_subquery(some))
}

/// The first ids of an import, if it is not all there.
fn some_unfinished(user: &impl Scope, revision: i64, limit: u64) -> SelectStatement {
    let mark = with_unfinished::<import::Entity>(user)
        .filter(import::Column::Revision.eq(revision))
        .select_only()
        .column(import::Column::Revision);
    with_unfinished::<task::Entity>(user)
        .filter(task::Column::Revision.eq(revision))
        .filter(Expr::exists(mark.into_query()))
        .select_only()
        .column(task::Column::Id)
        .order_by_asc(task::Column::Id)
        .limit(limit)
        .into_query()
}

/// Notes that nothing is left of an import.
pub fn finished_import(user: &impl Scope, revision: i64) -> DeleteMany<import::Entity> {
    owned_delete(user).filter(import::Column::Revision.eq(revision))
}

/// The numbers of these names.
#[expect(clippy::disallowed_methods, reason = "numbers that are nobody's")]
pub fn numbers(names: &[&str]) -> Select<sequence::Entity> {
    sequence::Entity::find().filter(sequence::Column::Name.is_in(names.iter().copied()))
}

/// Stores a number, unless there is one of this name.
#[expect(clippy::disallowed_methods, reason = "a number that is nobody's")]
pub fn draw_number(name: &str, value: i64) -> Insert<sequence::ActiveModel> {
    let row = sequence::ActiveModel { name: Set(name.to_owned()), value: Set(value) };
    Insert::one(row).on_conflict(OnConflict::new().do_nothing().to_owned())
}

/// Stores a number in the place of the one of this name.
#[expect(clippy::disallowed_methods, reason = "a number that is nobody's")]
pub fn set_number(name: &str, value: i64) -> Insert<sequence::ActiveModel> {
    let row = sequence::ActiveModel { name: Set(name.to_owned()), value: Set(value) };
    let on_conflict = OnConflict::column(sequence::Column::Name)
        .update_column(sequence::Column::Value)
        .to_owned();
    Insert::one(row).on_conflict(on_conflict)
}

/// A delete of at most `limit` request ids of all users. What it deletes, no caller can
/// tell from what is still there. Rows that somebody else is at work on are left for later,
/// so nobody waits and nobody deadlocks.
pub fn expired_requests(
    all: EveryUser,
    created_until: i64,
    limit: u64,
) -> DeleteMany<request::Entity> {
    use request::Column::{CreatedAt, RequestId, UserId};
    let expired = of_every::<request::Entity>(all)
        .select_only()
        .columns([UserId, RequestId])
        .filter(CreatedAt.lte(created_until))
        .order_by_asc(CreatedAt)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let key = Expr::tuple([Expr::col(UserId), Expr::col(RequestId)]);
    delete_of_every(all).filter(key.in_subquery(expired.into_query()))
}

/// Whose tasks have been in the trash since `until` or longer, of all users: at most
/// `limit` of them, and the greatest number of a deletion of each.
pub fn expired_trash(
    all: EveryUser,
    until: i64,
    limit: u64,
) -> Selector<SelectGetableTuple<(String, i64)>> {
    use task::Column::{DeletedAt, Revision, UserId};
    of_every::<task::Entity>(all)
        .select_only()
        .column(UserId)
        .column_as(Revision.max(), "revision")
        .filter(DeletedAt.lte(until))
        .group_by(UserId)
        .limit(limit)
        .into_tuple()
}

/// A delete of what a user put into the trash until `until`, by changes up to the one with
/// this number: at most `limit` tasks.
pub fn purged_trash(
    user: OneUser<'_>,
    until: i64,
    revision: i64,
    limit: u64,
) -> DeleteMany<task::Entity> {
    let oldest = oldest_trash(user, until, revision, limit);
    owned_delete(&user).filter(task::Column::Id.in_subquery(oldest))
}

/// What [`purged_trash`] is about to delete, of its owner's quota: how many tasks, and the bytes
/// of their texts as [`Usage`](crate::domain::quota::Usage) counts them.
pub fn purged_usage(
    user: OneUser<'_>,
    until: i64,
    revision: i64,
    limit: u64,
) -> Selector<SelectGetableTuple<(i64, Option<i64>)>> {
    let bytes = "SUM(octet_length(title) + octet_length(description) \
                 + COALESCE(octet_length(details), 0))";
    with_unfinished::<task::Entity>(&user)
        .select_only()
        .column_as(task::Column::Id.count(), "tasks")
        .column_as(Expr::cust(bytes), "bytes")
        .filter(task::Column::Id.in_subquery(oldest_trash(user, until, revision, limit)))
        .into_tuple()
}

/// The ids of both. Which they are is the same twice, whatever was deleted in one moment.
fn oldest_trash(user: OneUser<'_>, until: i64, revision: i64, limit: u64) -> SelectStatement {
    use task::Column::{DeletedAt, Id, Revision};
    with_unfinished::<task::Entity>(&user)
        .select_only()
        .column(Id)
        .filter(DeletedAt.lte(until))
        .filter(Revision.lte(revision))
        .order_by_asc(DeletedAt)
        .order_by_asc(Id)
        .limit(limit)
        .into_query()
}

/// That the words of a task were made by other rules than today's, spelled as the index of
/// such rows is.
fn is_outdated() -> Expr {
    Expr::cust(format!("coalesce(substr(words, 1, 2), '') <> '{RULES}'"))
}

/// The user, id, revision, title, description and details of a task.
type Stale = (String, Uuid, i64, String, String, Option<String>);

/// Tasks of all users that are in no index, or in it by the rules of another version: at most
/// `limit` of them, in the one order in which all processes take them.
pub fn outdated(all: EveryUser, limit: u64) -> Selector<SelectGetableTuple<Stale>> {
    use task::Column::{Description, Details, Id, Revision, Title, UserId};
    of_every::<task::Entity>(all)
        .select_only()
        .columns([UserId, Id, Revision, Title, Description, Details])
        .filter(is_outdated())
        .order_by_asc(UserId)
        .order_by_asc(Id)
        .limit(limit)
        .into_tuple()
}

/// Puts the task of a user with this id into the index, unless it has changed since it was
/// read or is there by now.
pub fn indexed(
    user: OneUser<'_>,
    (id, revision): (Uuid, i64),
    key: String,
    indexed: Indexed,
) -> UpdateMany<task::Entity> {
    use task::Column::{Id, Phrases, Revision, TitleKey, Words};
    owned_update(&user)
        .col_expr(TitleKey, Expr::val(key))
        .col_expr(Words, Expr::val(indexed.words))
        .col_expr(Phrases, Expr::val(indexed.phrases))
        .filter(Id.eq(id))
        .filter(Revision.eq(revision))
        .filter(is_outdated())
}
