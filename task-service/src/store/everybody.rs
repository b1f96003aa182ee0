//! All statements that see the rows of all users, and no others. No user calls them: they
//! act for the clock, or for a service that has shown who it is.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DeleteMany, EntityTrait, Insert, QueryFilter, QueryOrder, QuerySelect, Select,
    SelectGetableTuple, Selector, UpdateMany,
    sea_query::{
        Expr, ExprTrait, LockBehavior, LockType, OnConflict, Order, Query, SelectStatement,
    },
};
use uuid::Uuid;

use crate::{
    entity::{import, reminder, request, sequence, task},
    words::{Indexed, RULES},
};

/// What counts the firings of all users.
const FIRINGS: &str = "reminder";

/// Names the epoch of the database: a number that says no more than that it is this one.
pub const EPOCH: &str = "epoch";

/// Names the number behind which a user's first change number comes.
pub const FIRST: &str = "first_revision";

/// Whose reminders are to fire next, and when, of all users `except` these: at most `limit`
/// of them.
#[expect(clippy::disallowed_methods, reason = "finds whose reminders are due, and no task")]
pub fn pending_reminders(
    except: &BTreeSet<String>,
    limit: u64,
) -> Selector<SelectGetableTuple<(String, i64)>> {
    use reminder::Column::{FiredAt, FiresAt, UserId};
    reminder::Entity::find()
        .select_only()
        .columns([UserId, FiresAt])
        .filter(FiredAt.is_null())
        .filter(UserId.is_not_in(except))
        .filter(UserId.not_in_subquery(importing()))
        .order_by_asc(FiresAt)
        .limit(limit)
        .into_tuple()
}

/// The reminders of `user_id` that are to have fired by `until`: at most `limit` of them.
#[expect(clippy::disallowed_methods, reason = "what is due is nobody's call")]
pub fn due_reminders(user_id: &str, until: i64, limit: u64) -> Select<reminder::Entity> {
    use reminder::Column::{FiredAt, FiresAt, TaskId, UserId};
    reminder::Entity::find()
        .filter(UserId.eq(user_id))
        .filter(FiredAt.is_null())
        .filter(FiresAt.lte(until))
        .filter(UserId.not_in_subquery(importing()))
        .order_by_asc(FiresAt)
        .order_by_asc(TaskId)
        .limit(limit)
}

/// Who has an import that is not all there yet: no reminder of theirs fires, as it would take the
/// number of the import.
fn importing() -> SelectStatement {
    Query::select().column(import::Column::UserId).from(import::Entity).take()
}

/// The imports of all users that are not all there yet.
#[expect(clippy::disallowed_methods, reason = "finds what broke off, and no task")]
pub fn unfinished_imports() -> Select<import::Entity> {
    import::Entity::find()
}

/// The same of one user.
pub fn unfinished_import(user_id: &str) -> Select<import::Entity> {
    unfinished_imports().filter(import::Column::UserId.eq(user_id))
}

/// A delete of at most `limit` tasks of an import that is not all there.
#[expect(clippy::disallowed_methods, reason = "what broke off was never anybody's")]
pub fn unfinished_tasks(user_id: &str, revision: i64, limit: u64) -> DeleteMany<task::Entity> {
    task::Entity::delete_many()
        .filter(task::Column::UserId.eq(user_id))
        .filter(task::Column::Id.in_subquery(some_unfinished(user_id, revision, limit)))
}

/// A delete of the reminders of what [`unfinished_tasks`] is about to delete.
#[expect(clippy::disallowed_methods, reason = "what broke off was never anybody's")]
pub fn unfinished_reminders(
    user_id: &str,
    revision: i64,
    limit: u64,
) -> DeleteMany<reminder::Entity> {
    reminder::Entity::delete_many()
        .filter(reminder::Column::UserId.eq(user_id))
        .filter(reminder::Column::TaskId.in_subquery(some_unfinished(user_id, revision, limit)))
}

/// The first ids of an import, if it is not all there.
fn some_unfinished(user_id: &str, revision: i64, limit: u64) -> SelectStatement {
    let mark = Query::select()
        .column(import::Column::Revision)
        .from(import::Entity)
        .and_where(import::Column::UserId.eq(user_id))
        .and_where(import::Column::Revision.eq(revision))
        .take();
    Query::select()
        .column(task::Column::Id)
        .from(task::Entity)
        .and_where(task::Column::UserId.eq(user_id))
        .and_where(task::Column::Revision.eq(revision))
        .and_where(Expr::exists(mark))
        .order_by(task::Column::Id, Order::Asc)
        .limit(limit)
        .take()
}

/// Notes that nothing is left of an import.
#[expect(clippy::disallowed_methods, reason = "what broke off was never anybody's")]
pub fn finished_import(user_id: &str, revision: i64) -> DeleteMany<import::Entity> {
    import::Entity::delete_many()
        .filter(import::Column::UserId.eq(user_id))
        .filter(import::Column::Revision.eq(revision))
}

/// Takes so many numbers of firings, and the row that all who fire queue at until they
/// commit: so numbers are committed in order.
pub fn take_firings(count: i64) -> Insert<sequence::ActiveModel> {
    let first = sequence::ActiveModel { name: Set(FIRINGS.to_owned()), value: Set(count) };
    let next = Expr::col((sequence::Entity, sequence::Column::Value)).add(count);
    let on_conflict =
        OnConflict::column(sequence::Column::Name).value(sequence::Column::Value, next).to_owned();
    Insert::one(first).on_conflict(on_conflict)
}

/// Notes that a reminder has fired, unless it has by now.
#[expect(clippy::disallowed_methods, reason = "what is due is nobody's call")]
pub fn mark_fired(row: &reminder::Model) -> UpdateMany<reminder::Entity> {
    use reminder::Column::{FiredAt, FiresAt, Revision, Sequence, TaskId, UserId};
    reminder::Entity::update_many()
        .col_expr(FiredAt, Expr::val(row.fired_at))
        .col_expr(Revision, Expr::val(row.revision))
        .col_expr(Sequence, Expr::val(row.sequence))
        .filter(UserId.eq(row.user_id.as_str()))
        .filter(TaskId.eq(row.task_id))
        .filter(FiresAt.eq(row.fires_at))
        .filter(FiredAt.is_null())
}

/// The firings of all users after the one with this number: at most `limit` of them.
#[expect(clippy::disallowed_methods, reason = "for a service that acts for all users")]
pub fn firings_after(sequence: i64, limit: u64) -> Select<reminder::Entity> {
    use reminder::Column::Sequence;
    reminder::Entity::find().filter(Sequence.gt(sequence)).order_by_asc(Sequence).limit(limit)
}

/// The count of the firings of all users.
#[expect(clippy::disallowed_methods, reason = "a number that is nobody's")]
pub fn firings() -> Select<sequence::Entity> {
    sequence::Entity::find().filter(sequence::Column::Name.eq(FIRINGS))
}

/// The numbers of these names.
#[expect(clippy::disallowed_methods, reason = "numbers that are nobody's")]
pub fn numbers(names: &[&str]) -> Select<sequence::Entity> {
    sequence::Entity::find().filter(sequence::Column::Name.is_in(names.iter().copied()))
}

/// Stores a number, unless there is one of this name.
pub fn draw_number(name: &str, value: i64) -> Insert<sequence::ActiveModel> {
    let row = sequence::ActiveModel { name: Set(name.to_owned()), value: Set(value) };
    Insert::one(row).on_conflict(OnConflict::new().do_nothing().to_owned())
}

/// Stores a number in the place of the one of this name.
pub fn set_number(name: &str, value: i64) -> Insert<sequence::ActiveModel> {
    let row = sequence::ActiveModel { name: Set(name.to_owned()), value: Set(value) };
    let on_conflict = OnConflict::column(sequence::Column::Name)
        .update_column(sequence::Column::Value)
        .to_owned();
    Insert::one(row).on_conflict(on_conflict)
}

/// The task of a firing, if it is not in the trash.
#[expect(clippy::disallowed_methods, reason = "for a service that acts for all users")]
pub fn reminded_task(user_id: &str, id: Uuid) -> Select<task::Entity> {
    use task::Column::{DeletedAt, Id, UserId};
    task::Entity::find().filter(UserId.eq(user_id)).filter(Id.eq(id)).filter(DeletedAt.is_null())
}

/// A delete of firings until `until`, of the `limit` oldest ones. Rows that somebody else
/// is at work on are left for later.
#[expect(clippy::disallowed_methods, reason = "old firings are nobody's any more")]
pub fn old_firings(until: i64, limit: u64) -> DeleteMany<reminder::Entity> {
    use reminder::Column::{FiredAt, Sequence};
    let oldest = Query::select()
        .column(Sequence)
        .from(reminder::Entity)
        .and_where(Sequence.is_not_null())
        .order_by(Sequence, Order::Asc)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .take();
    reminder::Entity::delete_many().filter(Sequence.in_subquery(oldest)).filter(FiredAt.lte(until))
}

/// A delete of at most `limit` request ids of all users. What it deletes, no caller can
/// tell from what is still there. Rows that somebody else is at work on are left for later,
/// so nobody waits and nobody deadlocks.
#[expect(clippy::disallowed_methods, reason = "expired request ids are nobody's any more")]
pub fn expired_requests(created_until: i64, limit: u64) -> DeleteMany<request::Entity> {
    use request::Column::{CreatedAt, RequestId, UserId};
    let expired = Query::select()
        .columns([UserId, RequestId])
        .from(request::Entity)
        .and_where(CreatedAt.lte(created_until))
        .order_by(CreatedAt, Order::Asc)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .take();
    let key = Expr::tuple([Expr::col(UserId), Expr::col(RequestId)]);
    request::Entity::delete_many().filter(key.in_subquery(expired))
}

/// Whose tasks have been in the trash since `until` or longer, of all users: at most
/// `limit` of them, and the greatest number of a deletion of each.
#[expect(clippy::disallowed_methods, reason = "finds the users of the purge, and no task")]
pub fn expired_trash(until: i64, limit: u64) -> Selector<SelectGetableTuple<(String, i64)>> {
    use task::Column::{DeletedAt, Revision, UserId};
    task::Entity::find()
        .select_only()
        .column(UserId)
        .column_as(Revision.max(), "revision")
        .filter(DeletedAt.lte(until))
        .group_by(UserId)
        .limit(limit)
        .into_tuple()
}

/// A delete of what `user_id` put into the trash until `until`, by changes up to the one
/// with this number: at most `limit` tasks.
#[expect(clippy::disallowed_methods, reason = "the purge is nobody's call")]
pub fn purged_trash(
    user_id: &str,
    until: i64,
    revision: i64,
    limit: u64,
) -> DeleteMany<task::Entity> {
    let oldest = oldest_trash(user_id, until, revision, limit);
    task::Entity::delete_many()
        .filter(task::Column::UserId.eq(user_id))
        .filter(task::Column::Id.in_subquery(oldest))
}

/// What [`purged_trash`] is about to delete, of its owner's quota: how many tasks, and the bytes
/// of their texts as [`Usage`](crate::quota::Usage) counts them.
#[expect(clippy::disallowed_methods, reason = "the purge is nobody's call")]
pub fn purged_usage(
    user_id: &str,
    until: i64,
    revision: i64,
    limit: u64,
) -> Selector<SelectGetableTuple<(i64, Option<i64>)>> {
    let bytes = "SUM(octet_length(title) + octet_length(description) \
                 + COALESCE(octet_length(details), 0))";
    task::Entity::find()
        .select_only()
        .column_as(task::Column::Id.count(), "tasks")
        .column_as(Expr::cust(bytes), "bytes")
        .filter(task::Column::UserId.eq(user_id))
        .filter(task::Column::Id.in_subquery(oldest_trash(user_id, until, revision, limit)))
        .into_tuple()
}

/// The ids of both. Which they are is the same twice, whatever was deleted in one moment.
fn oldest_trash(user_id: &str, until: i64, revision: i64, limit: u64) -> SelectStatement {
    use task::Column::{DeletedAt, Id, Revision, UserId};
    Query::select()
        .column(Id)
        .from(task::Entity)
        .and_where(UserId.eq(user_id))
        .and_where(DeletedAt.lte(until))
        .and_where(Revision.lte(revision))
        .order_by(DeletedAt, Order::Asc)
        .order_by(Id, Order::Asc)
        .limit(limit)
        .take()
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
#[expect(clippy::disallowed_methods, reason = "the index is computed for everybody")]
pub fn outdated(limit: u64) -> Selector<SelectGetableTuple<Stale>> {
    use task::Column::{Description, Details, Id, Revision, Title, UserId};
    task::Entity::find()
        .select_only()
        .columns([UserId, Id, Revision, Title, Description, Details])
        .filter(is_outdated())
        .order_by_asc(UserId)
        .order_by_asc(Id)
        .limit(limit)
        .into_tuple()
}

/// Puts the task with this id of `user_id` into the index, unless it has changed since it
/// was read or is there by now.
#[expect(clippy::disallowed_methods, reason = "the index is computed for everybody")]
pub fn indexed(
    (user_id, id, revision): (&str, Uuid, i64),
    key: String,
    indexed: Indexed,
) -> UpdateMany<task::Entity> {
    use task::Column::{Id, Phrases, Revision, TitleKey, UserId, Words};
    task::Entity::update_many()
        .col_expr(TitleKey, Expr::val(key))
        .col_expr(Words, Expr::val(indexed.words))
        .col_expr(Phrases, Expr::val(indexed.phrases))
        .filter(UserId.eq(user_id))
        .filter(Id.eq(id))
        .filter(Revision.eq(revision))
        .filter(is_outdated())
}
