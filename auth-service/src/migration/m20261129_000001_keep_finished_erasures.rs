//! Tables `finished_erasure` and `erased_from`: finished erasures, and the epoch of
//! task-service's database.

use sea_orm_migration::{
    DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait,
    sea_orm::{ConnectionTrait, DbBackend},
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261129_000001_keep_finished_erasures"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let time = match manager.get_database_backend() {
            DbBackend::Postgres => "timestamptz",
            _ => "date",
        };
        let finished = format!(
            "CREATE TABLE finished_erasure (
                user_id text NOT NULL PRIMARY KEY,
                requested_at {time} NOT NULL
            )"
        );
        let database = manager.get_connection();
        database.execute_unprepared(&finished).await?;
        let from = "CREATE TABLE erased_from (
            id integer NOT NULL PRIMARY KEY,
            epoch text NOT NULL
        )";
        database.execute_unprepared(from).await.map(drop)
    }
}
