//! Cleanup of the data of ended sessions: last uses and replaced tokens.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, SelectStatement, UnionType},
};

use super::{IdKind, Store, layout::Layout};
use crate::entity::{rotated_token, session, session_use};

/// Removes the data of ended sessions of this user.
#[expect(clippy::disallowed_methods, reason = "the user is the one whose sessions have ended")]
pub(super) async fn remove_for_user(
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
    /// Removes the data of ended sessions, whichever server ended them, and tokens that were
    /// replaced at `oldest` or before. Returns how many rows.
    #[expect(clippy::disallowed_methods, reason = "ended sessions of all users")]
    pub async fn remove_ended_session_data(&self, oldest: DateTime<Utc>) -> Result<u64, DbErr> {
        let oldest = self.timestamp(oldest);
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

/// The ids of all sessions, as text: Better Auth may have them of another type.
#[expect(clippy::disallowed_methods, reason = "their ids tell what has ended")]
fn live() -> SelectStatement {
    let id = Expr::col((session::Entity, session::Column::Id)).cast_as("text");
    session::Entity::find().select_only().expr(id).into_query()
}

/// `known` without live sessions. Both sides are read once; looking up each would take their
/// product on SQLite.
fn but_live(mut known: SelectStatement) -> SelectStatement {
    known.union(UnionType::Except, live()).to_owned()
}
