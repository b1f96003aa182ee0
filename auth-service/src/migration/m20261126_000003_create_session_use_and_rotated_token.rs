//! Tables `session_use` and `rotated_token`: last uses and replaced tokens of sessions. Ids are
//! text whatever they are in Better Auth's tables, and nothing refers to those: the cleanup job
//! removes the rows of ended sessions.

use sea_orm_migration::{
    DbErr, MigrationTrait, SchemaManager, async_trait,
    prelude::DeriveMigrationName,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let database = manager.get_connection();
        let time = match manager.get_database_backend() {
            DbBackend::Postgres => "timestamptz",
            _ => "date",
        };
        for statement in [
            format!(
                "CREATE TABLE session_use (
                    session_id text NOT NULL PRIMARY KEY,
                    user_id text NOT NULL,
                    last_used_at {time} NOT NULL
                )"
            ),
            "CREATE INDEX session_use_by_user ON session_use (user_id)".to_owned(),
            format!(
                "CREATE TABLE rotated_token (
                    token_hash text NOT NULL PRIMARY KEY,
                    successor_hash text NOT NULL,
                    session_id text NOT NULL,
                    user_id text NOT NULL,
                    rotated_at {time} NOT NULL
                )"
            ),
            "CREATE INDEX rotated_token_by_session ON rotated_token (session_id, rotated_at)"
                .to_owned(),
            "CREATE INDEX rotated_token_by_user ON rotated_token (user_id)".to_owned(),
            "CREATE INDEX rotated_token_by_age ON rotated_token (rotated_at)".to_owned(),
        ] {
            database.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}
