//! Inserts of sessions.

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DbErr,
    sea_query::{Expr, IntoIden},
};
use server::db::timestamp_value;

use super::{insert::insert, layout::Layout};
use crate::entity::session;

/// A session to be opened.
pub struct NewSession {
    /// The proposed id; the store replaces it where the database's ids are of another kind.
    pub id: String,
    /// The token in its stored form.
    pub token: String,
    pub user_id: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Inserts a session.
pub(super) async fn insert_session(
    database: &impl ConnectionTrait,
    layout: Layout,
    session: &mut NewSession,
) -> Result<(), DbErr> {
    let moment = |moment| Expr::val(timestamp_value(database.get_database_backend(), moment));
    let row = vec![
        (session::Column::ExpiresAt.into_iden(), moment(session.expires_at)),
        (session::Column::Token.into_iden(), session.token.as_str().into()),
        (session::Column::CreatedAt.into_iden(), moment(session.now)),
        (session::Column::UpdatedAt.into_iden(), moment(session.now)),
        (session::Column::IpAddress.into_iden(), session.ip_address.clone().into()),
        (session::Column::UserAgent.into_iden(), session.user_agent.clone().into()),
        (session::Column::UserId.into_iden(), layout.user.reference(&session.user_id)?),
    ];
    insert(database, layout.session, session::Entity, &mut session.id, row).await
}
