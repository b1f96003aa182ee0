//! What an operator does to sessions, beside the servers that use them.

use sea_orm::{
    DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Query},
};
use shared::db::{Database, DatabaseUrl};

use super::{
    Store, largest_id,
    layout::{Layout, Schema},
};
use crate::entity::session;

/// How many sessions end in one step: few enough that no server waits for it.
const STEP: u64 = 1000;

impl Store {
    /// Opens a database that is there and in use. Nothing is made or migrated; one without
    /// the tables, or in another layout, is refused.
    pub async fn visit(url: &DatabaseUrl) -> Result<Self, DbErr> {
        let database = Database::visit(url).await?;
        if !database.has_table("session").await? {
            return Err(DbErr::Custom("no server was ever started on it".to_owned()));
        }
        let layout = Layout::of(&Schema::read(&database).await?)?;
        Ok(Self { database, layout })
    }

    /// Ends every session of every user, in steps, and tells how many. What is opened
    /// meanwhile may stay.
    #[expect(clippy::disallowed_methods, reason = "the operator means every user's")]
    pub async fn end_all_sessions(&self) -> Result<u64, DbErr> {
        let mut ended = 0;
        loop {
            largest_id::keep(self.database.writer(), self.layout).await?;
            let some = Query::select()
                .column(session::Column::Id)
                .from(session::Entity)
                .limit(STEP)
                .to_owned();
            let step = session::Entity::delete_many()
                .filter(Expr::col(session::Column::Id).in_subquery(some))
                .exec(self.database.writer())
                .await?
                .rows_affected;
            ended += step;
            if step < STEP {
                return Ok(ended);
            }
        }
    }
}
