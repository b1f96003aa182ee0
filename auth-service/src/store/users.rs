//! Queries of users and their passwords.

use std::slice;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, QueryFilter, SqlErr,
    sea_query::{Expr, IntoIden},
};
use server::audit_log::{self, Record};

use super::{
    NewErasure, NewSession, Precondition, PreconditionCheck, Store, cleanup, erasures,
    insert::insert,
    new_session::insert_session,
    precondition::{CREDENTIAL, password_hash},
};
use crate::{
    email::Email,
    entity::{account, session, user},
    profile::Image,
    random,
};

/// A new user with a password.
pub struct NewUser {
    /// The proposed id; the store replaces it where the database's ids are of another kind.
    pub id: String,
    pub email: Email,
    pub name: String,
    pub image: Image,
    pub password_hash: String,
    pub now: DateTime<Utc>,
}

/// The fields of a user to change; `None` leaves one as it is.
#[derive(Default)]
pub struct UserPatch {
    pub name: Option<String>,
    pub image: Option<Image>,
}

impl Store {
    /// Inserts a user, a password and a first session, all or nothing. `false`: the e-mail is
    /// taken, in any case.
    pub async fn create_user(
        &self,
        new_user: &mut NewUser,
        session: &mut NewSession,
    ) -> Result<bool, DbErr> {
        let now = Expr::val(self.timestamp(new_user.now));
        let user = vec![
            (user::Column::Name.into_iden(), new_user.name.as_str().into()),
            (user::Column::Email.into_iden(), new_user.email.as_str().into()),
            (user::Column::EmailVerified.into_iden(), false.into()),
            (user::Column::Image.into_iden(), new_user.image.0.clone().into()),
            (user::Column::CreatedAt.into_iden(), now.clone()),
            (user::Column::UpdatedAt.into_iden(), now.clone()),
        ];
        // The unique index covers one spelling only.
        if !self.users_by_email(&new_user.email).await?.is_empty() {
            return Ok(false);
        }
        let transaction = self.begin().await?;
        let inserted =
            insert(&transaction, self.layout.user, user::Entity, &mut new_user.id, user).await;
        if let Err(error) = inserted {
            transaction.rollback().await?;
            let is_taken = matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
                && !self.users_by_email(&new_user.email).await?.is_empty();
            return if is_taken { Ok(false) } else { Err(error) };
        }
        session.user_id.clone_from(&new_user.id);
        let mut account = vec![
            (account::Column::AccountId.into_iden(), new_user.id.as_str().into()),
            (account::Column::ProviderId.into_iden(), CREDENTIAL.into()),
            (account::Column::UserId.into_iden(), self.layout.user.reference(&new_user.id)?),
            (account::Column::Password.into_iden(), new_user.password_hash.as_str().into()),
            (account::Column::CreatedAt.into_iden(), now.clone()),
            (account::Column::UpdatedAt.into_iden(), now),
        ];
        account
            .extend(self.layout.issuer().map(|(column, value)| (column.into_iden(), value.into())));
        let mut account_id = random::id().map_err(|e| DbErr::Custom(e.to_string()))?;
        insert(&transaction, self.layout.account, account::Entity, &mut account_id, account)
            .await?;
        insert_session(&transaction, self.layout, session).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The user with this id.
    #[expect(clippy::disallowed_methods, reason = "the id comes from the caller's session")]
    pub async fn user(&self, id: &str) -> Result<Option<user::Model>, DbErr> {
        user::Entity::find()
            .filter(self.layout.user.is(user::Column::Id, id))
            .one(self.database.reader())
            .await
    }

    /// The stored password hash of a user; `None`: the account has none.
    pub async fn password_hash(&self, user_id: &str) -> Result<Option<String>, DbErr> {
        password_hash(self.database.reader(), self.layout, user_id).await
    }

    /// Updates a user and returns the new row. `None`: no such user.
    #[expect(clippy::disallowed_methods, reason = "the id comes from the caller's session")]
    pub async fn update_user(
        &self,
        id: &str,
        patch: UserPatch,
        now: DateTime<Utc>,
    ) -> Result<Option<user::Model>, DbErr> {
        let mut update = user::Entity::update_many()
            .filter(self.layout.user.is(user::Column::Id, id))
            .col_expr(user::Column::UpdatedAt, Expr::value(self.timestamp(now)));
        if let Some(name) = patch.name {
            update = update.col_expr(user::Column::Name, Expr::value(name));
        }
        if let Some(Image(image)) = patch.image {
            update = update.col_expr(user::Column::Image, Expr::value(image));
        }
        let transaction = self.begin().await?;
        update.exec(&transaction).await?;
        let user = user::Entity::find()
            .filter(self.layout.user.is(user::Column::Id, id))
            .one(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(user)
    }

    /// Replaces the password and, if given, all sessions by `replacement`, with the `record` of
    /// it. All or nothing, and nothing unless the precondition is met.
    #[expect(clippy::disallowed_methods, reason = "the id comes from the caller's session")]
    pub async fn change_password(
        &self,
        user_id: &str,
        precondition: Precondition<'_>,
        password_hash: String,
        replacement: Option<&mut NewSession>,
        record: &Record,
        now: DateTime<Utc>,
    ) -> Result<PreconditionCheck, DbErr> {
        let transaction = self.begin().await?;
        let check = precondition.check(&transaction, self.layout, user_id).await?;
        if check != PreconditionCheck::Met {
            transaction.rollback().await?;
            return Ok(check);
        }
        account::Entity::update_many()
            .filter(self.layout.user.is(account::Column::UserId, user_id))
            .filter(account::Column::ProviderId.eq(CREDENTIAL))
            .col_expr(account::Column::Password, Expr::value(password_hash))
            .col_expr(account::Column::UpdatedAt, Expr::value(self.timestamp(now)))
            .exec(&transaction)
            .await?;
        if let Some(session) = replacement {
            session::Entity::delete_many()
                .filter(self.layout.user.is(session::Column::UserId, user_id))
                .exec(&transaction)
                .await?;
            cleanup::remove_for_user(&transaction, self.layout, user_id).await?;
            insert_session(&transaction, self.layout, session).await?;
        }
        audit_log::insert(&transaction, slice::from_ref(record)).await?;
        transaction.commit().await?;
        Ok(PreconditionCheck::Met)
    }

    /// Deletes a user with passwords and sessions, and inserts the `record` of it and the
    /// `erasure`, if any. All or nothing, and nothing unless the precondition is met. Also on a
    /// database whose foreign keys do not cascade.
    #[expect(clippy::disallowed_methods, reason = "the id comes from the caller's session")]
    pub async fn delete_user(
        &self,
        id: &str,
        precondition: Precondition<'_>,
        record: &Record,
        erasure: Option<NewErasure>,
    ) -> Result<PreconditionCheck, DbErr> {
        let transaction = self.begin().await?;
        let check = precondition.check(&transaction, self.layout, id).await?;
        if check != PreconditionCheck::Met {
            transaction.rollback().await?;
            return Ok(check);
        }
        session::Entity::delete_many()
            .filter(self.layout.user.is(session::Column::UserId, id))
            .exec(&transaction)
            .await?;
        cleanup::remove_for_user(&transaction, self.layout, id).await?;
        account::Entity::delete_many()
            .filter(self.layout.user.is(account::Column::UserId, id))
            .exec(&transaction)
            .await?;
        user::Entity::delete_many()
            .filter(self.layout.user.is(user::Column::Id, id))
            .exec(&transaction)
            .await?;
        audit_log::insert(&transaction, slice::from_ref(record)).await?;
        if let Some(erasure) = erasure {
            erasures::insert(&transaction, id, erasure).await?;
        }
        transaction.commit().await?;
        Ok(PreconditionCheck::Met)
    }
}
