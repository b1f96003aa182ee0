//! Preconditions of a write, checked again after a password was hashed.
//!
//! A hash takes long enough for the password to change, the session to be revoked or the user to
//! be deleted meanwhile. All of these lock the user's row first, so a precondition that is met
//! here holds until the commit.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::LockType,
};
use server::db::Transaction;

use super::{largest_id, layout::Layout};
use crate::entity::{account, session, user};

/// Better Auth's provider id of accounts with a password.
pub(super) const CREDENTIAL: &str = "credential";

/// The precondition of a write of a user.
#[derive(Clone, Copy, Default)]
pub struct Precondition<'a> {
    /// The stored password that was verified.
    pub password_hash: Option<&'a str>,
    /// The session the call was made with.
    pub session_id: Option<&'a str>,
}

/// The result of a precondition check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreconditionCheck {
    Met,
    /// The password is another one, or the user is gone.
    PasswordChanged,
    /// The session has ended.
    SessionEnded,
}

impl Precondition<'_> {
    /// Locks the user's row until the transaction ends, then checks.
    pub(super) async fn check(
        self,
        transaction: &Transaction,
        layout: Layout,
        user_id: &str,
    ) -> Result<PreconditionCheck, DbErr> {
        lock_user(transaction, layout, user_id).await?;
        self.check_locked(transaction, layout, user_id).await
    }

    /// Checks under the lock on the user's row.
    #[expect(clippy::disallowed_methods, reason = "the user comes from a verified credential")]
    pub(super) async fn check_locked(
        self,
        transaction: &Transaction,
        layout: Layout,
        user_id: &str,
    ) -> Result<PreconditionCheck, DbErr> {
        if let Some(verified) = self.password_hash
            && password_hash(transaction, layout, user_id).await?.as_deref() != Some(verified)
        {
            return Ok(PreconditionCheck::PasswordChanged);
        }
        if let Some(id) = self.session_id {
            let live = session::Entity::find().filter(layout.session.is(session::Column::Id, id));
            if live.count(transaction).await? == 0 {
                return Ok(PreconditionCheck::SessionEnded);
            }
        }
        Ok(PreconditionCheck::Met)
    }
}

/// The lock on a user's row: weak enough for foreign keys of concurrently inserted sessions.
pub(super) const USER_LOCK: LockType = LockType::NoKeyUpdate;

/// Locks the user's row: other changes of this user's password and sessions wait. On SQLite the
/// transaction has the only writer anyway. Also keeps the largest ids, as rows may be removed.
#[expect(clippy::disallowed_methods, reason = "the user comes from a verified credential")]
pub(super) async fn lock_user(
    transaction: &Transaction,
    layout: Layout,
    user_id: &str,
) -> Result<(), DbErr> {
    let user = user::Entity::find().filter(layout.user.is(user::Column::Id, user_id));
    let user = user.select_only().column(user::Column::Id);
    user.lock(USER_LOCK).into_tuple::<String>().one(transaction).await?;
    largest_id::record(transaction, layout).await
}

/// The stored password hash of a user.
#[expect(clippy::disallowed_methods, reason = "the id was found by e-mail or session")]
pub(super) async fn password_hash(
    on: &impl ConnectionTrait,
    layout: Layout,
    user_id: &str,
) -> Result<Option<String>, DbErr> {
    account::Entity::find()
        .select_only()
        .column(account::Column::Password)
        .filter(layout.user.is(account::Column::UserId, user_id))
        .filter(account::Column::ProviderId.eq(CREDENTIAL))
        .into_tuple::<Option<String>>()
        .one(on)
        .await
        .map(Option::flatten)
}
