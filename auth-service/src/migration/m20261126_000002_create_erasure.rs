//! Table `erasure`: the erasure outbox. It refers to none of Better Auth's tables.

use sea_orm_migration::{
    DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait,
    sea_orm::{ConnectionTrait, DbBackend},
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261126_000002_create_erasure"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // As in the other tables.
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
