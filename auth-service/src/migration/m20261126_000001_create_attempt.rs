//! Table `attempt`: the rate limit counter that replicas share.
//!
//! On SQLite there is one replica, which counts in memory; the table exists so that both
//! databases are alike.

use sea_orm_migration::{
    DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait,
    sea_orm::{ConnectionTrait, DbBackend},
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261126_000001_create_attempt"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Written at every sign-in and expired within minutes: unlogged, as it need not survive a
        // crash.
        let (unlogged, time) = match manager.get_database_backend() {
            DbBackend::Postgres => ("UNLOGGED", "timestamptz"),
            _ => ("", "date"),
        };
        let table = format!(
            r#"CREATE {unlogged} TABLE IF NOT EXISTS "attempt" (
                "key" text NOT NULL PRIMARY KEY,
                "due" {time} NOT NULL
            )"#
        );
        let database = manager.get_connection();
        database.execute_unprepared(&table).await?;
        let index = r#"CREATE INDEX IF NOT EXISTS "attempt_due_idx" ON "attempt" ("due")"#;
        database.execute_unprepared(index).await.map(drop)
    }
}
