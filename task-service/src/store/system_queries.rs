//! The system queries (cross-user): statements over the rows of all users, except for those of
//! reminders. Each takes the proof [`EveryUser`], or acts on one user after the other.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DeleteMany, EntityTrait, Insert, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, SelectGetableTuple, Selector, UpdateMany,
    sea_query::{Expr, LockBehavior, LockType, OnConflict, SelectStatement},
};
use uuid::Uuid;

use super::{
    owned::{of_every, owned_delete, owned_update, with_unfinished},
    scope::{EveryUser, OneUser, Scope},
};
use crate::{
    entity::{import, reminder, request, sequence, task},
    query::full_text::{IndexEntry, RULES},
};

/// The name of the epoch in the sequences.
pub const EPOCH: &str = "epoch";

/// The name of the base of change numbers in the sequences.
pub const FIRST: &str = "first_revision";

/// The unfinished imports of all users.
pub fn unfinished_imports(all: EveryUser) -> Select<import::Entity> {
    of_every(all)
}

/// A delete of at most `limit` tasks of an unfinished import.
pub fn unfinished_tasks(user: &impl Scope, revision: i64, limit: u64) -> DeleteMany<task::Entity> {
    let some = some_unfinished(user, revision, limit);
    owned_delete(user).filter(task::Column::Id.in_subquery(some))
}

/// A delete of the reminders of the tasks that [`unfinished_tasks`] deletes.
pub fn unfinished_reminders(
    user: &impl Scope,
    revision: i64,
    limit: u64,
) -> DeleteMany<reminder::Entity> {
    let some = some_unfinished(user, revision, limit);
    owned_delete(user).filter(reminder::Column::TaskId.in_subquery(some))
}

/// The first ids of an unfinished import.
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

/// A delete of the mark of an unfinished import.
pub fn finished_import(user: &impl Scope, revision: i64) -> DeleteMany<import::Entity> {
    owned_delete(user).filter(import::Column::Revision.eq(revision))
}

/// The sequences with these names.
#[expect(clippy::disallowed_methods, reason = "sequences have no owner")]
pub fn numbers(names: &[&str]) -> Select<sequence::Entity> {
    sequence::Entity::find().filter(sequence::Column::Name.is_in(names.iter().copied()))
}

/// An insert of a number, unless the name exists.
#[expect(clippy::disallowed_methods, reason = "sequences have no owner")]
pub fn draw_number(name: &str, value: i64) -> Insert<sequence::ActiveModel> {
    let row = sequence::ActiveModel { name: Set(name.to_owned()), value: Set(value) };
    Insert::one(row).on_conflict(OnConflict::new().do_nothing().to_owned())
}

/// An upsert of a number.
#[expect(clippy::disallowed_methods, reason = "sequences have no owner")]
pub fn set_number(name: &str, value: i64) -> Insert<sequence::ActiveModel> {
    let row = sequence::ActiveModel { name: Set(name.to_owned()), value: Set(value) };
    let on_conflict = OnConflict::column(sequence::Column::Name)
        .update_column(sequence::Column::Value)
        .to_owned();
    Insert::one(row).on_conflict(on_conflict)
}

/// The users of the oldest expired idempotency keys, at most `limit` of these.
pub fn users_of_expired_requests(
    all: EveryUser,
    created_until: i64,
    limit: u64,
) -> Selector<SelectGetableTuple<String>> {
    use request::Column::{CreatedAt, UserId};
    of_every::<request::Entity>(all)
        .select_only()
        .column(UserId)
        .filter(CreatedAt.lte(created_until))
        .order_by_asc(CreatedAt)
        .limit(limit)
        .into_tuple()
}

/// A delete of at most `limit` expired idempotency keys of a user. Rows locked by others are skipped,
/// so there is no waiting and no deadlock.
pub fn expired_requests(
    user: OneUser<'_>,
    created_until: i64,
    limit: u64,
) -> DeleteMany<request::Entity> {
    use request::Column::{CreatedAt, RequestId};
    let expired = with_unfinished::<request::Entity>(&user)
        .select_only()
        .column(RequestId)
        .filter(CreatedAt.lte(created_until))
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    owned_delete(&user).filter(RequestId.in_subquery(expired.into_query()))
}

/// The users with tasks in the trash since `until` or longer, at most `limit`, with the greatest
/// change number of such a deletion.
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

/// A delete of a user's tasks in the trash since `until`, by changes up to this number: at most
/// `limit` tasks.
pub fn purged_trash(
    user: OneUser<'_>,
    until: i64,
    revision: i64,
    limit: u64,
) -> DeleteMany<task::Entity> {
    let oldest = oldest_trash(user, until, revision, limit);
    owned_delete(&user).filter(task::Column::Id.in_subquery(oldest))
}

/// The usage of the tasks that [`purged_trash`] deletes: their number, and the bytes of their texts
/// as in [`Usage`](crate::domain::quota::Usage).
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

/// The ids of both, in a total order, so both statements select the same.
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

/// The condition that an index entry has another version, spelled as in the index of such rows.
fn is_outdated() -> Expr {
    Expr::cust(format!("coalesce(substr(words, 1, 2), '') <> '{RULES}'"))
}

/// The user, id, revision, title, description and details of a task.
type OutdatedRow = (String, Uuid, i64, String, String, Option<String>);

/// At most `limit` tasks of all users without a current index entry, in the same order for all
/// processes.
pub fn outdated(all: EveryUser, limit: u64) -> Selector<SelectGetableTuple<OutdatedRow>> {
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

/// Writes the index entry of a task, unless the task has changed since it was read or has a current
/// entry.
pub fn indexed(
    user: OneUser<'_>,
    (id, revision): (Uuid, i64),
    key: String,
    indexed: IndexEntry,
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
