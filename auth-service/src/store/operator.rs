//! What an operator does to sessions, beside the servers that use them.

use std::{slice, sync::Arc};

use sea_orm::{
    DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Query},
};
use server::{
    audit_log::{self, AuditLog, Event},
    db::{Database, DatabaseUrl},
};
use shared::clock::SystemClock;

use super::{
    OpenError, Store, largest_id,
    layout::{Layout, Schema},
    mixed_case::MixedCase,
};
use crate::{entity::session, migration::Migrator};

/// How many sessions end in one step: few enough that no server waits for it.
const STEP: u64 = 1000;

impl Store {
    /// Opens a database that is there and in use. Nothing is made or migrated; one without
    /// the tables of this version, or in another layout, is refused.
    pub async fn visit(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let database = Database::connect_existing(url).await?;
        let migrations = database.migrations::<Migrator>().await?;
        if !migrations.pending.is_empty() {
            let cause = "a server of this version was never started on it";
            return Err(DbErr::Custom(cause.to_owned()).into());
        }
        let layout = Layout::of(&Schema::read(&database).await?)?;
        Ok(Self { database, layout, mixed_case: MixedCase::default() })
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
            // A step may fall short of its number: somebody else ended some of the same.
            if step == 0 {
                return Ok(ended);
            }
        }
    }

    /// Keeps what an operator did, where events are kept.
    pub async fn note_of_operator(&self, event: Event) -> Result<(), DbErr> {
        let (trail, _) = AuditLog::new(self.security_events(), Arc::new(SystemClock));
        let record = trail.new_record(event);
        trail.log_event(&record);
        audit_log::insert(self.database.writer(), slice::from_ref(&record)).await
    }
}
