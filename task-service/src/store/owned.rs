//! The owner filter, written here and nowhere else; and the way past it, for which there is a
//! proof.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DbBackend, DeleteMany, EntityTrait, Insert,
    InsertMany, QueryFilter, QueryTrait, Select, UpdateMany, Value,
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
    /// The column that says to whom.
    const OWNER: Self::Column;

    /// That a row may be seen, where not all may.
    fn visible(_backend: DbBackend) -> Option<Condition> {
        None
    }
}

impl Owned for task::Entity {
    const OWNER: task::Column = task::Column::UserId;

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

/// A select that sees the rows of `owner` alone, in a database of this kind.
#[expect(clippy::disallowed_methods, reason = "the owner filter is written here, once")]
pub fn owned<E: Owned>(backend: DbBackend, owner: &Owner) -> Select<E> {
    let all = E::find().filter(E::OWNER.eq(owner.user().as_str()));
    all.apply_if(E::visible(backend), QueryFilter::filter)
}

/// A select that sees all rows of a user: of tasks those of an import too that is not all
/// there yet. For what acts on them whole, and for the import.
#[expect(clippy::disallowed_methods, reason = "the owner filter is written here, once")]
pub fn with_unfinished<E: Owned>(user: &impl Scope) -> Select<E> {
    E::find().filter(E::OWNER.eq(user.user_id()))
}

/// The same of tasks, out of reach of the indexes that begin with the owner: the full-text
/// index is entered then. Databases guess how many tasks have a word, and guess badly.
#[expect(clippy::disallowed_methods, reason = "the owner filter is written here, once")]
pub fn owned_by_words(backend: DbBackend, owner: &Owner) -> Select<task::Entity> {
    let user_id = Expr::cust("\"task\".\"user_id\" || ''");
    let all = task::Entity::find().filter(user_id.eq(owner.user().as_str()));
    all.apply_if(task::Entity::visible(backend), QueryFilter::filter)
}

/// A select of the tasks of `owner` outside the trash.
pub fn live(backend: DbBackend, owner: &Owner) -> Select<task::Entity> {
    owned::<task::Entity>(backend, owner).filter(task::Column::DeletedAt.is_null())
}

/// An update that reaches the rows of one user alone.
#[expect(clippy::disallowed_methods, reason = "the owner filter is written here, once")]
pub fn owned_update<E: Owned>(user: &impl Scope) -> UpdateMany<E> {
    E::update_many().filter(E::OWNER.eq(user.user_id()))
}

/// A delete that reaches the rows of one user alone.
#[expect(clippy::disallowed_methods, reason = "the owner filter is written here, once")]
pub fn owned_delete<E: Owned>(user: &impl Scope) -> DeleteMany<E> {
    E::delete_many().filter(E::OWNER.eq(user.user_id()))
}

/// A select that sees the rows of all users.
#[expect(clippy::disallowed_methods, reason = "there is a proof of who acts for every user")]
pub fn of_every<E: Owned>(_all: EveryUser) -> Select<E> {
    E::find()
}

/// An update that reaches the rows of all users.
#[expect(clippy::disallowed_methods, reason = "there is a proof of who acts for every user")]
pub fn update_of_every<E: Owned>(_all: EveryUser) -> UpdateMany<E> {
    E::update_many()
}

/// A delete that reaches the rows of all users.
#[expect(clippy::disallowed_methods, reason = "there is a proof of who acts for every user")]
pub fn delete_of_every<E: Owned>(_all: EveryUser) -> DeleteMany<E> {
    E::delete_many()
}

/// An insert of a row of `owner`, whoever the row said it belongs to.
#[expect(clippy::disallowed_methods, reason = "the owner is written here, once")]
pub fn owned_insert<A>(owner: &Owner, mut row: A) -> Insert<A>
where
    A: ActiveModelTrait<Entity: Owned>,
{
    row.set(<A::Entity as Owned>::OWNER, Value::from(owner.user().as_str()));
    Insert::one(row)
}

/// Inserts of rows of `owner`, whoever the rows said they belong to.
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
