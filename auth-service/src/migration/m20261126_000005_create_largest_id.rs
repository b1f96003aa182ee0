//! Table `largest_id`: the largest id of each table with numeric ids. Only SQLite needs it:
//! PostgreSQL's sequences never go back.

use sea_orm_migration::{
    DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait,
    sea_orm::{ConnectionTrait, DbBackend},
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261126_000005_create_largest_id"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Sqlite {
            return Ok(());
        }
        let create = r#"CREATE TABLE IF NOT EXISTS "largest_id" (
            "table_name" text NOT NULL PRIMARY KEY,
            "id" integer NOT NULL
        )"#;
        manager.get_connection().execute_unprepared(create).await.map(drop)
    }
}
