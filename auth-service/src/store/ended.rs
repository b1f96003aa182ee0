//! What is forgotten with a session that has ended: its last use and its former tokens.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, SelectStatement, UnionType},
};

use super::{IdKind, Store, layout::Layout};
use crate::entity::{rotated_token, session, session_use};

/// Forgets what is kept of sessions of this user that are gone.
#[expect(clippy::disallowed_methods, reason = "the user is the one whose sessions have ended")]
pub(super) async fn forget_of_user(
    on: &impl ConnectionTrait,
    layout: Layout,
    user_id: &str,
) -> Result<(), DbErr> {
    let is_of_user = || layout.user.is(session::Column::UserId, user_id);
    let live = || live().and_where(is_of_user()).to_owned();
    session_use::Entity::delete_many()
        .filter(IdKind::Text.is(session_use::Column::UserId, user_id))
        .filter(session_use::Column::SessionId.not_in_subquery(live()))
        .exec(on)
        .await?;
    rotated_token::Entity::delete_many()
        .filter(IdKind::Text.is(rotated_token::Column::UserId, user_id))
        .filter(rotated_token::Column::SessionId.not_in_subquery(live()))
        .exec(on)
        .await
        .map(drop)
}

impl Store {
    /// Forgets what is kept of sessions that are gone, whoever ended them, and of tokens
    /// that were replaced at `oldest` or before. Tells how much it was.
    #[expect(clippy::disallowed_methods, reason = "what has ended is nobody's any more")]
    pub async fn forget_ended(&self, oldest: DateTime<Utc>) -> Result<u64, DbErr> {
        let oldest = self.moment(oldest);
        let old = rotated_token::Entity::delete_many()
            .filter(rotated_token::Column::RotatedAt.lte(oldest))
            .exec(self.database.writer())
            .await?;
        let known = rotated_token::Entity::find()
            .select_only()
            .column(rotated_token::Column::SessionId)
            .into_query();
        let tokens = rotated_token::Entity::delete_many()
            .filter(rotated_token::Column::SessionId.in_subquery(but_live(known)))
            .exec(self.database.writer())
            .await?;
        let known = session_use::Entity::find()
            .select_only()
            .column(session_use::Column::SessionId)
            .into_query();
        let uses = session_use::Entity::delete_many()
            .filter(session_use::Column::SessionId.in_subquery(but_live(known)))
            .exec(self.database.writer())
            .await?;
        Ok(old.rows_affected + tokens.rows_affected + uses.rows_affected)
    }
}

/// The ids of all sessions there are, as text, which Better Auth can make them otherwise.
#[expect(clippy::disallowed_methods, reason = "their ids tell what has ended")]
fn live() -> SelectStatement {
    let id = Expr::col((session::Entity, session::Column::Id)).cast_as("text");
    session::Entity::find().select_only().expr(id).into_query()
}

/// Both sides are read once; looking each up would take the product of both on SQLite.
fn but_live(mut known: SelectStatement) -> SelectStatement {
    known.union(UnionType::Except, live()).to_owned()
}
