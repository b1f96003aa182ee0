//! What is still to be erased elsewhere of users whose accounts are gone: a table of our
//! own, which refers to none of Better Auth's.

use sea_orm_migration::{
    DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait,
    sea_orm::{ConnectionTrait, DbBackend},
};

/// See the module.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261126_000002_create_erasure"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // As the other tables have it.
        let time = match manager.get_database_backend() {
            DbBackend::Postgres => "timestamptz",
            _ => "date",
        };
        let table = format!(
            "CREATE TABLE erasure (
                user_id text NOT NULL PRIMARY KEY,
                requested_at {time} NOT NULL,
                last_at {time} NOT NULL,
                next_at {time} NOT NULL,
                attempts integer NOT NULL,
                first_done_at {time}
            )"
        );
        let database = manager.get_connection();
        database.execute_unprepared(&table).await?;
        let index = "CREATE INDEX erasure_by_next ON erasure (next_at)";
        database.execute_unprepared(index).await.map(drop)
    }
}
