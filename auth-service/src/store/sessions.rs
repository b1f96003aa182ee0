//! Queries of sessions.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query},
};

use super::{
    NewSession, Precondition, PreconditionCheck, Store, cleanup, largest_id,
    new_session::insert_session, precondition::lock_user, restrictions, session_cap,
    token_rotation,
};
use crate::{
    entity::{session, user},
    restriction::{Ban, Restriction, SignInRules},
};

/// Which sessions of a user to end.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// This one.
    One(&'a str),
    /// The one stored under one of these forms, or formerly, before a rotation.
    StoredAs(&'a [String; 2]),
    /// All but this one.
    Others(&'a str),
    /// All.
    All,
}

/// The result of ending sessions.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// How many sessions.
    pub count: u64,
    /// The id of the session, if it was one.
    pub only: Option<String>,
}

/// The result of opening a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Opened; so many others of the user were ended by the session cap, and perhaps an expired
    /// ban was removed.
    Opened { ended: u64, lifted_ban: bool },
    /// The password is another one, or the user is gone.
    PasswordChanged,
    /// The user may not sign in.
    Refused(Restriction),
}

impl Store {
    /// Opens a session, unless the user's password is no longer the verified one, or the user may
    /// not sign in by these rules. At most `most` sessions of the user live: the oldest are
    /// ended. An expired ban is removed from the user's row.
    pub async fn open_session(
        &self,
        session: &mut NewSession,
        verified: Option<&str>,
        most: Option<u64>,
        rules: SignInRules,
    ) -> Result<Opening, DbErr> {
        let transaction = self.begin().await?;
        let (layout, user_id) = (self.layout, &session.user_id);
        let access = restrictions::lock_user_access(&transaction, layout, user_id).await?;
        let precondition = Precondition { password_hash: verified, session_id: None };
        let check = precondition.check_locked(&transaction, layout, user_id).await?;
        let restrictions = match access {
            Some(access) if check == PreconditionCheck::Met => access.restrictions,
            _ => {
                transaction.rollback().await?;
                return Ok(Opening::PasswordChanged);
            }
        };
        if let Err(restriction) = restrictions.check_sign_in(rules, session.now) {
            transaction.rollback().await?;
            return Ok(Opening::Refused(restriction));
        }
        let lifted_ban = restrictions.ban != Ban::None;
        if lifted_ban {
            restrictions::lift_ban(&transaction, self.layout, session).await?;
        }
        let ended = match most {
            Some(most) => session_cap::enforce(&transaction, self.layout, session, most).await?,
            None => 0,
        };
        insert_session(&transaction, self.layout, session).await?;
        transaction.commit().await?;
        Ok(Opening::Opened { ended, lifted_ban })
    }

    /// The session of a token in one of these stored forms, expired or not.
    #[expect(clippy::disallowed_methods, reason = "the token is what makes the caller known")]
    pub async fn session_by_token(
        &self,
        forms: [String; 2],
    ) -> Result<Option<session::Model>, DbErr> {
        session::Entity::find()
            .filter(session::Column::Token.is_in(forms))
            .one(self.database.reader())
            .await
    }

    /// Moves the end of a session. `false`: it has ended meanwhile.
    #[expect(clippy::disallowed_methods, reason = "the id comes from the caller's session")]
    pub async fn extend_session(
        &self,
        id: &str,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        session::Entity::update_many()
            .filter(self.layout.session.is(session::Column::Id, id))
            .col_expr(session::Column::ExpiresAt, Expr::value(self.timestamp(expires_at)))
            .col_expr(session::Column::UpdatedAt, Expr::value(self.timestamp(now)))
            .exec(self.database.writer())
            .await
            .map(|updated| updated.rows_affected == 1)
    }

    /// The user's newest sessions that are live at `now` and were opened after `oldest`, a
    /// hundred at most.
    #[expect(clippy::disallowed_methods, reason = "the user comes from the caller's session")]
    pub async fn sessions(
        &self,
        user_id: &str,
        now: DateTime<Utc>,
        oldest: DateTime<Utc>,
    ) -> Result<Vec<session::Model>, DbErr> {
        session::Entity::find()
            .filter(self.layout.user.is(session::Column::UserId, user_id))
            .filter(session::Column::ExpiresAt.gt(self.timestamp(now)))
            .filter(session::Column::CreatedAt.gt(self.timestamp(oldest)))
            .order_by_desc(session::Column::CreatedAt)
            .order_by_desc(session::Column::Id)
            .limit(100)
            .all(self.database.reader())
            .await
    }

    /// The addresses of the newest sessions of the user of this e-mail, given in lower case, that
    /// are live at `now`; none without such a user.
    #[expect(clippy::disallowed_methods, reason = "sign-in asks before the user is known")]
    pub async fn session_addresses(
        &self,
        email: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, DbErr> {
        let mut is_user = user::Column::Email.eq(email);
        if let Some(otherwise) = self.has_other_spelling(email).await {
            is_user = is_user.or(otherwise);
        }
        let of_user =
            Query::select().column(user::Column::Id).from(user::Entity).and_where(is_user).take();
        session::Entity::find()
            .select_only()
            .column(session::Column::IpAddress)
            .filter(session::Column::UserId.in_subquery(of_user))
            .filter(session::Column::ExpiresAt.gt(self.timestamp(now)))
            .filter(session::Column::IpAddress.is_not_null())
            .order_by_desc(session::Column::CreatedAt)
            .limit(100)
            .into_tuple()
            .all(self.database.reader())
            .await
    }

    /// Sessions of the user, expired or not, in the order of their ids, after `id` if given: at
    /// most `limit`.
    #[expect(clippy::disallowed_methods, reason = "the user comes from the caller's session")]
    pub async fn sessions_after(
        &self,
        user_id: &str,
        id: Option<&str>,
        limit: u64,
    ) -> Result<Vec<session::Model>, DbErr> {
        let mut sessions = session::Entity::find()
            .filter(self.layout.user.is(session::Column::UserId, user_id))
            .order_by_asc(session::Column::Id)
            .limit(limit);
        if let Some(id) = id {
            sessions = sessions.filter(self.layout.session.is_after(session::Column::Id, id));
        }
        sessions.all(self.database.reader()).await
    }

    /// Removes every session that has expired at `now` or was opened at `oldest` or before, and
    /// returns how many.
    #[expect(clippy::disallowed_methods, reason = "expired sessions of all users")]
    pub async fn remove_expired_sessions(
        &self,
        now: DateTime<Utc>,
        oldest: DateTime<Utc>,
    ) -> Result<u64, DbErr> {
        largest_id::record(self.database.writer(), self.layout).await?;
        let expired = session::Column::ExpiresAt.lte(self.timestamp(now));
        let too_old = session::Column::CreatedAt.lte(self.timestamp(oldest));
        session::Entity::delete_many()
            .filter(expired.or(too_old))
            .exec(self.database.writer())
            .await
            .map(|deleted| deleted.rows_affected)
    }

    /// Ends sessions of a user, and returns how many. Ending none is no error.
    #[expect(clippy::disallowed_methods, reason = "the user comes from the caller's session")]
    pub async fn end_sessions(&self, user_id: &str, which: Which<'_>) -> Result<Ended, DbErr> {
        let (user, session) = (self.layout.user, self.layout.session);
        let chosen = Condition::all().add(user.is(session::Column::UserId, user_id));
        let chosen = match which {
            Which::One(id) => chosen.add(session.is(session::Column::Id, id)),
            Which::StoredAs(forms) => {
                let current = session::Column::Token.is_in(forms);
                chosen.add(current.or(token_rotation::had_token(user_id, forms)))
            }
            Which::Others(id) => chosen.add(session.is_not(session::Column::Id, id)),
            Which::All => chosen,
        };
        let ids = session::Entity::find().select_only().column(session::Column::Id);
        let ids = ids.filter(chosen.clone()).limit(2).into_tuple::<String>();
        let transaction = self.begin().await?;
        lock_user(&transaction, self.layout, user_id).await?;
        let mut ids = ids.all(&transaction).await?;
        let deleted = session::Entity::delete_many().filter(chosen).exec(&transaction).await?;
        cleanup::remove_for_user(&transaction, self.layout, user_id).await?;
        transaction.commit().await?;
        let only = if ids.len() == 1 { ids.pop() } else { None };
        Ok(Ended { count: deleted.rows_affected, only })
    }
}
