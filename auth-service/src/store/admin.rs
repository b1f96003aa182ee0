//! The store of the admin commands, used beside running servers.

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

/// How many sessions end per statement: few enough that no server waits long.
const STEP: u64 = 1000;

impl Store {
    /// Opens an existing database. Nothing is created or migrated; one without the tables of this
    /// version, or in another layout, is refused.
    pub async fn open_existing(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let database = Database::connect_existing(url).await?;
        let migrations = database.migrations::<Migrator>().await?;
        if !migrations.pending.is_empty() {
            let cause = "a server of this version was never started on it";
            return Err(DbErr::Custom(cause.to_owned()).into());
        }
        let layout = Layout::of(&Schema::read(&database).await?)?;
        Ok(Self { database, layout, mixed_case: MixedCase::default() })
    }

    /// Ends every session of every user, in steps, and returns how many. Sessions opened
    /// meanwhile may stay.
    #[expect(clippy::disallowed_methods, reason = "the operator means every user's")]
    pub async fn end_all_sessions(&self) -> Result<u64, DbErr> {
        let mut ended = 0;
        loop {
            largest_id::record(self.database.writer(), self.layout).await?;
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
            // A step may end fewer: another replica ended some of the same.
            if step == 0 {
                return Ok(ended);
            }
        }
    }

    /// Records an event of an admin command.
    pub async fn record_admin_event(&self, event: Event) -> Result<(), DbErr> {
        let (audit_log, _) = AuditLog::new(self.security_events(), Arc::new(SystemClock));
        let record = audit_log.new_record(event);
        audit_log.log_event(&record);
        audit_log::insert(self.database.writer(), slice::from_ref(&record)).await
    }
}
