//! The statements of reminders, reminder events and their sequence.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DbBackend, DeleteMany, EntityTrait, Insert, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, SelectGetableTuple, Selector, UpdateMany,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict},
};
use uuid::Uuid;

use super::{
    dialect::Dialect,
    owned::{of_every, owned_delete, owned_update, with_unfinished},
    scope::{EveryUser, OneUser},
};
use crate::entity::{import, reminder, sequence, task};

/// The name of the sequence of reminder events.
const REMINDER_SEQUENCE: &str = "reminder";

/// The users and times of the next pending reminders of all users `except` these: at most `limit`.
/// Where imports are stored in chunks, users with an unfinished one are left out, as a reminder event
/// would take the number of the import.
pub fn pending_reminders(
    backend: DbBackend,
    all: EveryUser,
    except: &BTreeSet<String>,
    limit: u64,
) -> Selector<SelectGetableTuple<(String, i64)>> {
    use reminder::Column::{FiredAt, FiresAt, UserId};
    let importing = of_every::<import::Entity>(all).select_only().column(import::Column::UserId);
    of_every::<reminder::Entity>(all)
        .select_only()
        .columns([UserId, FiresAt])
        .filter(FiredAt.is_null())
        .filter(UserId.is_not_in(except))
        .apply_if((!backend.locks_rows()).then_some(importing), |pending, importing| {
            pending.filter(UserId.not_in_subquery(importing.into_query()))
        })
        .order_by_asc(FiresAt)
        .limit(limit)
        .into_tuple()
}

/// The pending reminders of a user that are due by `until`: at most `limit`.
pub fn due_reminders(user: OneUser<'_>, until: i64, limit: u64) -> Select<reminder::Entity> {
    use reminder::Column::{FiredAt, FiresAt, TaskId, UserId};
    let importing =
        with_unfinished::<import::Entity>(&user).select_only().column(import::Column::UserId);
    with_unfinished::<reminder::Entity>(&user)
        .filter(FiredAt.is_null())
        .filter(FiresAt.lte(until))
        .filter(UserId.not_in_subquery(importing.into_query()))
        .order_by_asc(FiresAt)
        .order_by_asc(TaskId)
        .limit(limit)
}

/// Takes `count` sequence numbers, and the row lock until the commit, so that numbers are committed
/// in order.
#[expect(clippy::disallowed_methods, reason = "sequences have no owner")]
pub fn take_sequence_numbers(count: i64) -> Insert<sequence::ActiveModel> {
    let first =
        sequence::ActiveModel { name: Set(REMINDER_SEQUENCE.to_owned()), value: Set(count) };
    let next = Expr::col((sequence::Entity, sequence::Column::Value)).add(count);
    let on_conflict =
        OnConflict::column(sequence::Column::Name).value(sequence::Column::Value, next).to_owned();
    Insert::one(first).on_conflict(on_conflict)
}

/// The last sequence number of reminder events.
#[expect(clippy::disallowed_methods, reason = "sequences have no owner")]
pub fn reminder_sequence() -> Select<sequence::Entity> {
    sequence::Entity::find().filter(sequence::Column::Name.eq(REMINDER_SEQUENCE))
}

/// Marks a reminder as fired, unless it is already.
pub fn mark_fired(user: OneUser<'_>, row: &reminder::Model) -> UpdateMany<reminder::Entity> {
    use reminder::Column::{FiredAt, FiresAt, Revision, Sequence, TaskId};
    owned_update(&user)
        .col_expr(FiredAt, Expr::val(row.fired_at))
        .col_expr(Revision, Expr::val(row.revision))
        .col_expr(Sequence, Expr::val(row.sequence))
        .filter(TaskId.eq(row.task_id))
        .filter(FiresAt.eq(row.fires_at))
        .filter(FiredAt.is_null())
}

/// The reminder events of all users after one sequence number, until another: at most `limit`.
pub fn reminder_events_between(
    all: EveryUser,
    after: i64,
    until: i64,
    limit: u64,
) -> Select<reminder::Entity> {
    use reminder::Column::Sequence;
    of_every(all)
        .filter(Sequence.gt(after))
        .filter(Sequence.lte(until))
        .order_by_asc(Sequence)
        .limit(limit)
}

/// The task of a reminder event, if it is not in the trash.
pub fn reminded_task(user: OneUser<'_>, id: Uuid) -> Select<task::Entity> {
    use task::Column::{DeletedAt, Id};
    with_unfinished(&user).filter(Id.eq(id)).filter(DeletedAt.is_null())
}

/// The users of the oldest reminder events, at most `limit` of these, with the time at which each
/// fired.
pub fn oldest_reminder_events(
    all: EveryUser,
    limit: u64,
) -> Selector<SelectGetableTuple<(String, i64)>> {
    use reminder::Column::{FiredAt, Sequence, UserId};
    of_every::<reminder::Entity>(all)
        .select_only()
        .columns([UserId, FiredAt])
        .filter(Sequence.is_not_null())
        .order_by_asc(Sequence)
        .limit(limit)
        .into_tuple()
}

/// A delete of a user's reminder events until `until`: at most `limit`. Rows locked by other replicas
/// are skipped.
pub fn old_reminder_events(
    user: OneUser<'_>,
    until: i64,
    limit: u64,
) -> DeleteMany<reminder::Entity> {
    use reminder::Column::{FiredAt, Revision};
    let oldest = with_unfinished::<reminder::Entity>(&user)
        .select_only()
        .column(Revision)
        .filter(Revision.is_not_null())
        .filter(FiredAt.lte(until))
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    owned_delete(&user).filter(Revision.in_subquery(oldest.into_query()))
}
