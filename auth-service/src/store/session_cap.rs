//! The session cap of a user.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, sea_query::Expr,
};
use server::db::{Transaction, timestamp_value};

use super::{NewSession, cleanup, layout::Layout};
use crate::entity::session;

/// Ends the oldest sessions of the user, so that at most `most` live including `new`, and returns
/// how many ended. The transaction has locked the user's row, so sign-ins are serialized.
#[expect(clippy::disallowed_methods, reason = "the user is the one who has just signed in")]
pub(super) async fn enforce(
    transaction: &Transaction,
    layout: Layout,
    new: &NewSession,
    most: u64,
) -> Result<u64, DbErr> {
    let now = timestamp_value(transaction.get_database_backend(), new.now);
    let staying = session::Entity::find()
        .select_only()
        // Not as text: it is compared.
        .expr(Expr::col(session::Column::Id))
        .filter(layout.user.is(session::Column::UserId, &new.user_id))
        .filter(session::Column::ExpiresAt.gt(now.clone()))
        .order_by_desc(session::Column::CreatedAt)
        .order_by_desc(session::Column::Id)
        .limit(most.saturating_sub(1))
        .into_query();
    let ended = session::Entity::delete_many()
        .filter(layout.user.is(session::Column::UserId, &new.user_id))
        .filter(session::Column::ExpiresAt.gt(now))
        .filter(session::Column::Id.not_in_subquery(staying))
        .exec(transaction)
        .await?
        .rows_affected;
    if ended > 0 {
        cleanup::remove_for_user(transaction, layout, &new.user_id).await?;
    }
    Ok(ended)
}
