//! Users and their passwords.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, SqlErr,
    sea_query::{Expr, Query},
};

use super::{Held, NewSession, Still, Store, sessions};
use crate::{
    email::Email,
    entity::{account, session, user},
    profile::Image,
    random,
};

/// Better Auth's name for accounts that sign in with a password.
const CREDENTIAL: &str = "credential";

/// A user to be made, with a password.
pub struct NewUser {
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
    /// Makes a user, its password and its first session, all or nothing. `false`: the
    /// e-mail is taken.
    pub async fn create_user(
        &self,
        new_user: &NewUser,
        session: &NewSession,
    ) -> Result<bool, DbErr> {
        let now = self.moment(new_user.now);
        let account_id = random::id().map_err(|e| DbErr::Custom(e.to_string()))?;
        let mut user = Query::insert();
        user.into_table(user::Entity)
            .columns([
                user::Column::Id,
                user::Column::Name,
                user::Column::Email,
                user::Column::EmailVerified,
                user::Column::Image,
                user::Column::CreatedAt,
                user::Column::UpdatedAt,
            ])
            .values_panic([
                new_user.id.as_str().into(),
                new_user.name.as_str().into(),
                new_user.email.as_str().into(),
                false.into(),
                new_user.image.0.clone().into(),
                now.clone().into(),
                now.clone().into(),
            ]);
        let mut account = Query::insert();
        account
            .into_table(account::Entity)
            .columns([
                account::Column::Id,
                account::Column::AccountId,
                account::Column::ProviderId,
                account::Column::UserId,
                account::Column::Password,
                account::Column::CreatedAt,
                account::Column::UpdatedAt,
            ])
            .values_panic([
                account_id.into(),
                new_user.id.as_str().into(),
                CREDENTIAL.into(),
                new_user.id.as_str().into(),
                new_user.password_hash.as_str().into(),
                now.clone().into(),
                now.into(),
            ]);
        let transaction = self.begin().await?;
        if let Err(error) = transaction.execute(&user).await {
            let taken = matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)));
            return if taken { Ok(false) } else { Err(error) };
        }
        transaction.execute(&account).await?;
        sessions::insert(&transaction, session).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The user with this e-mail.
    #[expect(clippy::disallowed_methods, reason = "sign-in asks before anybody is known")]
    pub async fn user_by_email(&self, email: &Email) -> Result<Option<user::Model>, DbErr> {
        user::Entity::find()
            .filter(user::Column::Email.eq(email.as_str()))
            .one(self.database.reader())
            .await
    }

    /// The user with this id.
    #[expect(clippy::disallowed_methods, reason = "the id comes from the caller's session")]
    pub async fn user(&self, id: &str) -> Result<Option<user::Model>, DbErr> {
        user::Entity::find_by_id(id).one(self.database.reader()).await
    }

    /// The stored password of a user; `None` where the account has none.
    pub async fn password_hash(&self, user_id: &str) -> Result<Option<String>, DbErr> {
        password_hash(self.database.reader(), user_id).await
    }
    /// Changes a user and returns it as it is then. `None`: there is no such user.
    #[expect(clippy::disallowed_methods, reason = "the id comes from the caller's session")]
    pub async fn update_user(
        &self,
        id: &str,
        patch: UserPatch,
        now: DateTime<Utc>,
    ) -> Result<Option<user::Model>, DbErr> {
        let mut update = user::Entity::update_many()
            .filter(user::Column::Id.eq(id))
            .col_expr(user::Column::UpdatedAt, Expr::value(self.moment(now)));
        if let Some(name) = patch.name {
            update = update.col_expr(user::Column::Name, Expr::value(name));
        }
        if let Some(Image(image)) = patch.image {
            update = update.col_expr(user::Column::Image, Expr::value(image));
        }
        let transaction = self.begin().await?;
        update.exec(&transaction).await?;
        let user = user::Entity::find_by_id(id).one(&transaction).await?;
        transaction.commit().await?;
        Ok(user)
    }

    /// Replaces the password and, where `instead` is given, all sessions by that one. All
    /// or nothing, and nothing unless what the caller was found to be still holds.
    #[expect(clippy::disallowed_methods, reason = "the id comes from the caller's session")]
    pub async fn change_password(
        &self,
        user_id: &str,
        still: Still<'_>,
        password_hash: String,
        instead: Option<&NewSession>,
        now: DateTime<Utc>,
    ) -> Result<Held, DbErr> {
        let transaction = self.begin().await?;
        let held = still.hold(&transaction, user_id).await?;
        if held != Held::Yes {
            return Ok(held);
        }
        account::Entity::update_many()
            .filter(account::Column::UserId.eq(user_id))
            .filter(account::Column::ProviderId.eq(CREDENTIAL))
            .col_expr(account::Column::Password, Expr::value(password_hash))
            .col_expr(account::Column::UpdatedAt, Expr::value(self.moment(now)))
            .exec(&transaction)
            .await?;
        if let Some(session) = instead {
            session::Entity::delete_many()
                .filter(session::Column::UserId.eq(user_id))
                .exec(&transaction)
                .await?;
            sessions::insert(&transaction, session).await?;
        }
        transaction.commit().await?;
        Ok(Held::Yes)
    }

    /// Deletes a user with passwords and sessions, all or nothing, and nothing unless what
    /// the caller was found to be still holds. Also on a database whose foreign keys do not
    /// cascade.
    #[expect(clippy::disallowed_methods, reason = "the id comes from the caller's session")]
    pub async fn delete_user(&self, id: &str, still: Still<'_>) -> Result<Held, DbErr> {
        let transaction = self.begin().await?;
        let held = still.hold(&transaction, id).await?;
        if held != Held::Yes {
            return Ok(held);
        }
        session::Entity::delete_many()
            .filter(session::Column::UserId.eq(id))
            .exec(&transaction)
            .await?;
        account::Entity::delete_many()
            .filter(account::Column::UserId.eq(id))
            .exec(&transaction)
            .await?;
        user::Entity::delete_by_id(id).exec(&transaction).await?;
        transaction.commit().await?;
        Ok(Held::Yes)
    }
}

/// The stored password of a user.
#[expect(clippy::disallowed_methods, reason = "the id was found by e-mail or session")]
pub(super) async fn password_hash(
    on: &impl ConnectionTrait,
    user_id: &str,
) -> Result<Option<String>, DbErr> {
    account::Entity::find()
        .select_only()
        .column(account::Column::Password)
        .filter(account::Column::UserId.eq(user_id))
        .filter(account::Column::ProviderId.eq(CREDENTIAL))
        .into_tuple::<Option<String>>()
        .one(on)
        .await
        .map(Option::flatten)
}
