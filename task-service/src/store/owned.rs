//! The owner filter of all statements, and the statements of system queries, which take a proof.

use std::sync::LazyLock;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DbBackend, DeleteMany, EntityTrait, Insert,
    InsertMany, QueryFilter, QuerySelect, QueryTrait, Select, UpdateMany, Value,
    sea_query::{Expr, ExprTrait},
};
use shared::auth::Owner;

use super::{
    dialect::Dialect,
    scope::{EveryUser, Scope},
};
use crate::entity::{import, reminder, request, revision, task};

/// A table whose rows belong to users.
pub trait Owned: EntityTrait {
    /// The column of the owner.
    const OWNER: Self::Column;

    /// A select of all rows.
    #[expect(clippy::disallowed_methods, reason = "the owner filter is added below")]
    fn all() -> Select<Self> {
        Self::find()
    }

    /// The condition of visible rows, if some are not.
    fn visible(_backend: DbBackend) -> Option<Condition> {
        None
    }
}

impl Owned for task::Entity {
    const OWNER: task::Column = task::Column::UserId;

    /// Of the ids alone: [`read`](super::read) selects what it reads.
    #[expect(clippy::disallowed_methods, reason = "the owner filter is added below")]
    fn all() -> Select<Self> {
        static ALL: LazyLock<Select<task::Entity>> =
            LazyLock::new(|| task::Entity::find().select_only().column(task::Column::Id));
        ALL.clone()
    }

    fn visible(backend: DbBackend) -> Option<Condition> {
        backend.of_no_unfinished_import().map(|condition| Condition::all().add(condition))
    }
}

impl Owned for import::Entity {
    const OWNER: import::Column = import::Column::UserId;
}

impl Owned for reminder::Entity {
    const OWNER: reminder::Column = reminder::Column::UserId;
}

impl Owned for revision::Entity {
    const OWNER: revision::Column = revision::Column::UserId;
}

impl Owned for request::Entity {
    const OWNER: request::Column = request::Column::UserId;
}

/// A select of the rows of `owner`.
pub fn owned<E: Owned>(backend: DbBackend, owner: &Owner) -> Select<E> {
    let all = E::all().filter(E::OWNER.eq(owner.user().as_str()));
    all.apply_if(E::visible(backend), QueryFilter::filter)
}

/// A select of all rows of a user, including tasks of an unfinished import: for erasure, system
/// queries and the import.
#[expect(clippy::disallowed_methods, reason = "the owner filter is written here, once")]
pub fn with_unfinished<E: Owned>(user: &impl Scope) -> Select<E> {
    E::find().filter(E::OWNER.eq(user.user_id()))
}

/// A select of the tasks of `owner` that keeps the database from the indexes by owner, so that it
/// uses the full-text index. Databases estimate the frequency of words badly.
///
/// Where tables are distributed, the owner stands there as such too: it names the shard.
pub fn owned_by_words(
    backend: DbBackend,
    owner: &Owner,
    is_distributed: bool,
) -> Select<task::Entity> {
    let user_id = Expr::cust("\"task\".\"user_id\" || ''");
    let all = task::Entity::all().filter(user_id.eq(owner.user().as_str()));
    let shard = is_distributed.then(|| task::Entity::OWNER.eq(owner.user().as_str()));
    let all = all.apply_if(shard, QueryFilter::filter);
    all.apply_if(task::Entity::visible(backend), QueryFilter::filter)
}

/// A select of the tasks of `owner` outside the trash.
pub fn live(backend: DbBackend, owner: &Owner) -> Select<task::Entity> {
    owned::<task::Entity>(backend, owner).filter(task::Column::DeletedAt.is_null())
}

/// An update of the rows of one user.
#[expect(clippy::disallowed_methods, reason = "the owner filter is written here, once")]
pub fn owned_update<E: Owned>(user: &impl Scope) -> UpdateMany<E> {
    E::update_many().filter(E::OWNER.eq(user.user_id()))
}

/// A delete of the rows of one user.
#[expect(clippy::disallowed_methods, reason = "the owner filter is written here, once")]
pub fn owned_delete<E: Owned>(user: &impl Scope) -> DeleteMany<E> {
    E::delete_many().filter(E::OWNER.eq(user.user_id()))
}

/// A select of the rows of all users.
#[expect(clippy::disallowed_methods, reason = "there is a proof of who acts for every user")]
pub fn of_every<E: Owned>(_all: EveryUser) -> Select<E> {
    E::find()
}

/// An update of the rows of all users.
#[expect(clippy::disallowed_methods, reason = "there is a proof of who acts for every user")]
pub fn update_of_every<E: Owned>(_all: EveryUser) -> UpdateMany<E> {
    E::update_many()
}

/// An insert of a row for `owner`, which overrides the owner in the row.
#[expect(clippy::disallowed_methods, reason = "the owner is written here, once")]
pub fn owned_insert<A>(owner: &Owner, mut row: A) -> Insert<A>
where
    A: ActiveModelTrait<Entity: Owned>,
{
    row.set(<A::Entity as Owned>::OWNER, Value::from(owner.user().as_str()));
    Insert::one(row)
}

/// Inserts of rows for `owner`, which overrides the owner in the rows.
#[expect(clippy::disallowed_methods, reason = "the owner is written here, once")]
pub fn owned_insert_many<A>(owner: &Owner, rows: Vec<A>) -> InsertMany<A>
where
    A: ActiveModelTrait<Entity: Owned>,
{
    let theirs = rows.into_iter().map(|mut row| {
        row.set(<A::Entity as Owned>::OWNER, Value::from(owner.user().as_str()));
        row
    });
    Insert::many(theirs)
}
