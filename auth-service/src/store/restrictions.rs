//! The restrictions of a user, read with the user.

use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryResult, QuerySelect,
    Select,
    sea_query::{Expr, IntoIden},
};
use server::db::{Transaction, timestamp_value};

use super::{NewSession, Store, largest_id, layout::Layout, precondition::USER_LOCK};
use crate::{
    entity::user,
    restriction::{Ban, Restrictions, is_set},
};

/// A user and the user's restrictions.
pub struct UserAccess {
    pub user: user::Model,
    pub restrictions: Restrictions,
}

const COLUMNS: [&str; 3] = ["its_ban", "its_ban_ends", "its_second_factor"];

impl FromQueryResult for UserAccess {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let user = user::Model::from_query_result(row, prefix)?;
        let text = |column| row.try_get::<Option<String>>(prefix, column);
        let [banned, ends, second_factor] = COLUMNS.map(text);
        let restrictions = Restrictions {
            ban: Ban::read(banned?.as_deref(), ends?.as_deref()),
            has_second_factor: is_set(second_factor?.as_deref()),
            has_unverified_email: !user.email_verified,
        };
        Ok(Self { user, restrictions })
    }
}

impl Store {
    /// The user with this id, and the user's restrictions.
    pub async fn user_access(&self, id: &str) -> Result<Option<UserAccess>, DbErr> {
        let user = user_access(self.layout, id);
        user.into_model().one(self.database.reader()).await
    }
}

/// As [`Store::user_access`], and locks the user's row as [`lock_user`] does.
///
/// [`lock_user`]: super::precondition::lock_user
pub(super) async fn lock_user_access(
    transaction: &Transaction,
    layout: Layout,
    id: &str,
) -> Result<Option<UserAccess>, DbErr> {
    let user = user_access(layout, id).lock(USER_LOCK).into_model().one(transaction).await?;
    largest_id::record(transaction, layout).await?;
    Ok(user)
}

#[expect(clippy::disallowed_methods, reason = "the id comes from the caller's session")]
fn user_access(layout: Layout, id: &str) -> Select<user::Entity> {
    let user = user::Entity::find().filter(layout.user.is(user::Column::Id, id));
    let texts = layout.restrictions.as_texts().into_iter().zip(COLUMNS);
    texts.fold(user, |user, (text, name)| user.expr_as(text, name))
}

/// Removes the expired ban of the user of `session`, as Better Auth does.
#[expect(clippy::disallowed_methods, reason = "the user is the one who has just signed in")]
pub(super) async fn lift_ban(
    transaction: &Transaction,
    layout: Layout,
    session: &NewSession,
) -> Result<(), DbErr> {
    let now = timestamp_value(transaction.get_database_backend(), session.now);
    let mut update = user::Entity::update_many()
        .filter(layout.user.is(user::Column::Id, &session.user_id))
        .col_expr(user::Column::UpdatedAt, Expr::value(now));
    for (column, value) in layout.restrictions.lifted() {
        sea_orm::QueryTrait::query(&mut update).value(column.into_iden(), value);
    }
    update.exec(transaction).await.map(drop)
}
