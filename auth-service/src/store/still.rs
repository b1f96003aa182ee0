//! What was true before a password was hashed, looked at again when it is time to write.
//!
//! A hash takes long enough for the password to change, the session to be revoked or the
//! user to be deleted meanwhile. Whoever changes one of these holds the user's row first,
//! so what is found here stays true until the commit.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::LockType,
};
use server::db::Transaction;

use super::{largest_id, layout::Layout};
use crate::entity::{account, session, user};

/// Better Auth's name for accounts that sign in with a password.
pub(super) const CREDENTIAL: &str = "credential";

/// What must still hold of a user.
#[derive(Clone, Copy, Default)]
pub struct Still<'a> {
    /// The stored password that was verified.
    pub password_hash: Option<&'a str>,
    /// The session the call was made with.
    pub session_id: Option<&'a str>,
}

/// Whether it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Yes,
    /// The password is another one, or the user is gone.
    PasswordChanged,
    /// The session has ended.
    SessionEnded,
}

impl Still<'_> {
    /// Holds the user's row until the transaction ends, then looks.
    #[expect(clippy::disallowed_methods, reason = "the user comes from a verified credential")]
    pub(super) async fn hold(
        self,
        transaction: &Transaction,
        layout: Layout,
        user_id: &str,
    ) -> Result<Held, DbErr> {
        lock_user(transaction, layout, user_id).await?;
        if let Some(verified) = self.password_hash
            && password_hash(transaction, layout, user_id).await?.as_deref() != Some(verified)
        {
            return Ok(Held::PasswordChanged);
        }
        if let Some(id) = self.session_id {
            let live = session::Entity::find().filter(layout.session.is(session::Column::Id, id));
            if live.count(transaction).await? == 0 {
                return Ok(Held::SessionEnded);
            }
        }
        Ok(Held::Yes)
    }
}

/// Makes every other change of this user's password and sessions wait. On SQLite the
/// transaction has the only writer anyway. What may be removed under it leaves its number.
#[expect(clippy::disallowed_methods, reason = "the user comes from a verified credential")]
pub(super) async fn lock_user(
    transaction: &Transaction,
    layout: Layout,
    user_id: &str,
) -> Result<(), DbErr> {
    let user = user::Entity::find().filter(layout.user.is(user::Column::Id, user_id));
    let user = user.select_only().column(user::Column::Id);
    // Weak enough for the foreign keys of sessions that are inserted meanwhile.
    let user = user.lock(LockType::NoKeyUpdate).into_tuple::<String>();
    user.one(transaction).await?;
    largest_id::keep(transaction, layout).await
}

/// The stored password of a user.
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
