//! Linked accounts: the ways in which a user can sign in.

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder};

use super::Store;
use crate::entity::account;

/// A row of `account` without its secrets.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "account::Entity")]
pub struct LinkedAccount {
    pub id: String,
    pub account_id: String,
    pub provider_id: String,
    pub user_id: String,
    pub scope: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Store {
    /// The linked accounts of a user, the oldest first.
    #[expect(clippy::disallowed_methods, reason = "the user comes from the caller's session")]
    pub async fn linked_accounts(&self, user_id: &str) -> Result<Vec<LinkedAccount>, DbErr> {
        account::Entity::find()
            .filter(self.layout.user.is(account::Column::UserId, user_id))
            .order_by_asc(account::Column::CreatedAt)
            .order_by_asc(account::Column::Id)
            .into_partial_model::<LinkedAccount>()
            .all(self.database.reader())
            .await
    }
}
