//! Sessions.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, IntoIden},
};

use super::{
    Held, Still, Store, insert::insert, largest_id, layout::Layout, moment_value, still::lock_user,
};
use crate::entity::session::{self, Column};

/// A session to be opened.
pub struct NewSession {
    /// Ours; the store puts another one here where the database's ids are others.
    pub id: String,
    /// As it is to be stored.
    pub token: String,
    pub user_id: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Which sessions of a user to end.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// This one.
    One(&'a str),
    /// The one that is stored under one of these.
    StoredAs(&'a [String; 2]),
    /// All but this one.
    Others(&'a str),
    /// All.
    All,
}

/// Stores a session.
pub(super) async fn insert_session(
    database: &impl ConnectionTrait,
    layout: Layout,
    session: &mut NewSession,
) -> Result<(), DbErr> {
    let moment = |moment| Expr::val(moment_value(database.get_database_backend(), moment));
    let row = vec![
        (Column::ExpiresAt.into_iden(), moment(session.expires_at)),
        (Column::Token.into_iden(), session.token.as_str().into()),
        (Column::CreatedAt.into_iden(), moment(session.now)),
        (Column::UpdatedAt.into_iden(), moment(session.now)),
        (Column::IpAddress.into_iden(), session.ip_address.clone().into()),
        (Column::UserAgent.into_iden(), session.user_agent.clone().into()),
        (Column::UserId.into_iden(), layout.user.reference(&session.user_id)?),
    ];
    insert(database, layout.session, session::Entity, &mut session.id, row).await
}

impl Store {
    /// Opens a session, unless the user's password is no longer the one that was verified.
    pub async fn open_session(
        &self,
        session: &mut NewSession,
        verified: Option<&str>,
    ) -> Result<Held, DbErr> {
        let transaction = self.begin().await?;
        let still = Still { password_hash: verified, session_id: None };
        let held = still.hold(&transaction, self.layout, &session.user_id).await?;
        if held == Held::Yes {
            insert_session(&transaction, self.layout, session).await?;
            transaction.commit().await?;
        }
        Ok(held)
    }

    /// The session stored under one of these forms of its token, expired or not.
    #[expect(clippy::disallowed_methods, reason = "the token is what makes the caller known")]
    pub async fn session_by_token(
        &self,
        forms: [String; 2],
    ) -> Result<Option<session::Model>, DbErr> {
        session::Entity::find().filter(Column::Token.is_in(forms)).one(self.database.reader()).await
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
            .filter(self.layout.session.is(Column::Id, id))
            .col_expr(Column::ExpiresAt, Expr::value(self.moment(expires_at)))
            .col_expr(Column::UpdatedAt, Expr::value(self.moment(now)))
            .exec(self.database.writer())
            .await
            .map(|updated| updated.rows_affected == 1)
    }

    /// The user's newest sessions that are live at `now`, a hundred at most.
    #[expect(clippy::disallowed_methods, reason = "the user comes from the caller's session")]
    pub async fn sessions(
        &self,
        user_id: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<session::Model>, DbErr> {
        session::Entity::find()
            .filter(self.layout.user.is(Column::UserId, user_id))
            .filter(Column::ExpiresAt.gt(self.moment(now)))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(100)
            .all(self.database.reader())
            .await
    }

    /// Removes every session that has expired at `now`, and tells how many.
    #[expect(clippy::disallowed_methods, reason = "an expired session is nobody's any more")]
    pub async fn remove_expired_sessions(&self, now: DateTime<Utc>) -> Result<u64, DbErr> {
        largest_id::keep(self.database.writer(), self.layout).await?;
        session::Entity::delete_many()
            .filter(Column::ExpiresAt.lte(self.moment(now)))
            .exec(self.database.writer())
            .await
            .map(|deleted| deleted.rows_affected)
    }

    /// Ends sessions of a user and tells how many. Ending none is no error.
    #[expect(clippy::disallowed_methods, reason = "the user comes from the caller's session")]
    pub async fn end_sessions(&self, user_id: &str, which: Which<'_>) -> Result<u64, DbErr> {
        let of_user =
            session::Entity::delete_many().filter(self.layout.user.is(Column::UserId, user_id));
        let delete = match which {
            Which::One(id) => of_user.filter(self.layout.session.is(Column::Id, id)),
            Which::StoredAs(forms) => of_user.filter(Column::Token.is_in(forms)),
            Which::Others(id) => of_user.filter(self.layout.session.is_not(Column::Id, id)),
            Which::All => of_user,
        };
        let transaction = self.begin().await?;
        lock_user(&transaction, self.layout, user_id).await?;
        let ended = delete.exec(&transaction).await?.rows_affected;
        transaction.commit().await?;
        Ok(ended)
    }
}
