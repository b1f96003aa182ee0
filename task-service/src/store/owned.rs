//! The owner filter, written here and nowhere else.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, DeleteMany, EntityTrait, Insert, QueryFilter, Select,
    UpdateMany, Value,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, Order, Query},
};
use shared::auth::Owner;

use crate::entity::{request, revision, task};

/// A table whose rows belong to users.
pub trait Owned: EntityTrait {
    /// The column that says to whom.
    const OWNER: Self::Column;
}

impl Owned for task::Entity {
    const OWNER: task::Column = task::Column::UserId;
}

impl Owned for revision::Entity {
    const OWNER: revision::Column = revision::Column::UserId;
}

impl Owned for request::Entity {
    const OWNER: request::Column = request::Column::UserId;
}

/// A select that sees the rows of `owner` alone.
#[expect(clippy::disallowed_methods, reason = "the owner filter is written here, once")]
pub fn owned<E: Owned>(owner: &Owner) -> Select<E> {
    E::find().filter(E::OWNER.eq(owner.user().as_str()))
}

/// An update that reaches the rows of `owner` alone.
#[expect(clippy::disallowed_methods, reason = "the owner filter is written here, once")]
pub fn owned_update<E: Owned>(owner: &Owner) -> UpdateMany<E> {
    E::update_many().filter(E::OWNER.eq(owner.user().as_str()))
}

/// A delete that reaches the rows of `owner` alone.
#[expect(clippy::disallowed_methods, reason = "the owner filter is written here, once")]
pub fn owned_delete<E: Owned>(owner: &Owner) -> DeleteMany<E> {
    E::delete_many().filter(E::OWNER.eq(owner.user().as_str()))
}

/// An insert of a row of `owner`, whoever the row said it belongs to.
pub fn owned_insert<A>(owner: &Owner, mut row: A) -> Insert<A>
where
    A: ActiveModelTrait<Entity: Owned>,
{
    row.set(<A::Entity as Owned>::OWNER, Value::from(owner.user().as_str()));
    Insert::one(row)
}

/// A delete of at most `limit` request ids of all users: the one statement without an
/// owner. What it deletes, no caller can tell from what is still there. Rows that somebody
/// else is at work on are left for later, so nobody waits and nobody deadlocks.
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
