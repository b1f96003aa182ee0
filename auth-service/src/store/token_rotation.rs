//! Replaced session tokens.

use std::slice;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, Query, SimpleExpr},
};
use server::{
    audit_log::{self, Record},
    db::{Transaction, timestamp_value},
};

use super::{Store, cleanup, precondition::lock_user};
use crate::entity::{rotated_token, session};

/// A replaced token: its hash, its successor's, when it was replaced, and its session.
pub type Rotated = rotated_token::Model;

/// The condition for sessions of this user that had a token in one of these stored forms. A
/// handle that was listed before a rotation still names its session.
#[expect(clippy::disallowed_methods, reason = "the user comes from the caller's session")]
pub(super) fn had_token(user_id: &str, forms: &[String; 2]) -> SimpleExpr {
    let had = rotated_token::Entity::find()
        .select_only()
        .column(rotated_token::Column::SessionId)
        .filter(rotated_token::Column::UserId.eq(user_id))
        .filter(rotated_token::Column::TokenHash.is_in(forms))
        .into_query();
    Expr::col((session::Entity, session::Column::Id)).cast_as("text").in_subquery(had)
}

impl Store {
    /// Replaces the token of a session of this user, stored in one of the forms `from`, by `to`.
    /// `false`: no session has it any more. `rotated` is called under the lock.
    #[expect(clippy::disallowed_methods, reason = "the token is what makes the caller known")]
    pub async fn rotate(
        &self,
        user_id: &str,
        from: [String; 2],
        to: &str,
        rotated: impl FnOnce() -> Rotated,
    ) -> Result<bool, DbErr> {
        let transaction = self.begin().await?;
        lock_user(&transaction, self.layout, user_id).await?;
        let replaced = session::Entity::update_many()
            .filter(session::Column::Token.is_in(from))
            .col_expr(session::Column::Token, Expr::value(to))
            .exec(&transaction)
            .await?;
        if replaced.rows_affected != 1 {
            transaction.rollback().await?;
            return Ok(false);
        }
        let rotated = rotated();
        insert(&transaction, &rotated).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The successor of the token with this hash, if it was replaced.
    #[expect(clippy::disallowed_methods, reason = "the token is what makes the caller known")]
    pub async fn rotated(&self, token_hash: &str) -> Result<Option<Rotated>, DbErr> {
        rotated_token::Entity::find_by_id(token_hash).one(self.database.reader()).await
    }

    /// Whether the token with this hash replaced one of this session after `since`.
    #[expect(clippy::disallowed_methods, reason = "the session is the caller's")]
    pub async fn replaced_one_since(
        &self,
        session_id: &str,
        token_hash: &str,
        since: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        rotated_token::Entity::find()
            .filter(rotated_token::Column::SessionId.eq(session_id))
            .filter(rotated_token::Column::RotatedAt.gt(self.timestamp(since)))
            .filter(rotated_token::Column::SuccessorHash.eq(token_hash))
            .one(self.database.reader())
            .await
            .map(|found| found.is_some())
    }

    /// The session that had this token, expired or not. One that was opened later with the same
    /// id, which another server may reuse, is not it.
    #[expect(clippy::disallowed_methods, reason = "the token is what makes the caller known")]
    pub async fn session_of(&self, rotated: &Rotated) -> Result<Option<session::Model>, DbErr> {
        session::Entity::find()
            .filter(self.layout.session.is(session::Column::Id, &rotated.session_id))
            .filter(self.layout.user.is(session::Column::UserId, &rotated.user_id))
            .filter(session::Column::CreatedAt.lte(self.timestamp(rotated.rotated_at)))
            .one(self.database.reader())
            .await
    }

    /// Ends a session whose replaced token was reused, with the `record` of that. `false`: it has
    /// ended meanwhile, and nothing is recorded.
    #[expect(clippy::disallowed_methods, reason = "the token is what makes the caller known")]
    pub async fn end_reused(
        &self,
        session: &session::Model,
        record: &Record,
    ) -> Result<bool, DbErr> {
        let transaction = self.begin().await?;
        lock_user(&transaction, self.layout, &session.user_id).await?;
        let ended = session::Entity::delete_many()
            .filter(self.layout.session.is(session::Column::Id, &session.id))
            .filter(self.layout.user.is(session::Column::UserId, &session.user_id))
            .exec(&transaction)
            .await?;
        if ended.rows_affected == 0 {
            transaction.rollback().await?;
            return Ok(false);
        }
        cleanup::remove_for_user(&transaction, self.layout, &session.user_id).await?;
        audit_log::insert(&transaction, slice::from_ref(record)).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

#[expect(clippy::disallowed_methods, reason = "the session is the caller's")]
async fn insert(transaction: &Transaction, rotated: &Rotated) -> Result<(), DbErr> {
    let rotated_at = timestamp_value(transaction.get_database_backend(), rotated.rotated_at);
    let mut insert = Query::insert();
    insert
        .into_table(rotated_token::Entity)
        .columns([
            rotated_token::Column::TokenHash,
            rotated_token::Column::SuccessorHash,
            rotated_token::Column::SessionId,
            rotated_token::Column::UserId,
            rotated_token::Column::RotatedAt,
        ])
        .values_panic([
            rotated.token_hash.as_str().into(),
            rotated.successor_hash.as_str().into(),
            rotated.session_id.as_str().into(),
            rotated.user_id.as_str().into(),
            rotated_at.into(),
        ]);
    transaction.execute(&insert).await.map(drop)
}
