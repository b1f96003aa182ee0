//! The last use of sessions.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};

use super::Store;
use crate::entity::session_use;

/// A use of a session.
#[derive(Clone)]
pub struct Use {
    pub session_id: String,
    pub user_id: String,
    pub at: DateTime<Utc>,
}

/// How many rows one statement writes.
const BATCH: usize = 500;

impl Store {
    /// Records uses of different sessions. An earlier one than the stored changes nothing.
    #[expect(clippy::disallowed_methods, reason = "the ids are those of sessions that were shown")]
    pub async fn record_uses(&self, uses: &mut [Use]) -> Result<(), DbErr> {
        // Sorted: concurrent replicas lock rows in one order.
        uses.sort_unstable_by(|one, two| one.session_id.cmp(&two.session_id));
        for batch in uses.chunks(BATCH) {
            let mut insert = Query::insert();
            insert.into_table(session_use::Entity).columns([
                session_use::Column::SessionId,
                session_use::Column::UserId,
                session_use::Column::LastUsedAt,
            ]);
            for noted in batch {
                insert.values_panic([
                    noted.session_id.as_str().into(),
                    noted.user_id.as_str().into(),
                    self.timestamp(noted.at).into(),
                ]);
            }
            let known = Expr::col((session_use::Entity, session_use::Column::LastUsedAt));
            let noted = Expr::col(("excluded", session_use::Column::LastUsedAt));
            insert.on_conflict(
                OnConflict::column(session_use::Column::SessionId)
                    .update_column(session_use::Column::LastUsedAt)
                    .action_and_where(known.lt(noted))
                    .to_owned(),
            );
            self.database.writer().execute(&insert).await?;
        }
        Ok(())
    }

    /// The stored last uses of these sessions.
    #[expect(clippy::disallowed_methods, reason = "the ids are those of the caller's sessions")]
    pub async fn last_uses(&self, ids: &[String]) -> Result<Vec<session_use::Model>, DbErr> {
        session_use::Entity::find()
            .filter(session_use::Column::SessionId.is_in(ids))
            .all(self.database.reader())
            .await
    }
}
