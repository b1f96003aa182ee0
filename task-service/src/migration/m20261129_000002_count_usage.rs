//! What each user's tasks take, and which imports are not all there yet.

use sea_orm_migration::prelude::*;

/// See the module.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261129_000002_count_usage"
    }
}

/// The same on both databases.
const STATEMENTS: &str = "
    ALTER TABLE task_revision ADD COLUMN tasks BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE task_revision ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
    UPDATE task_revision SET
        tasks = (SELECT count(*) FROM task WHERE task.user_id = task_revision.user_id),
        bytes = (SELECT coalesce(sum(octet_length(title) + octet_length(description)
                + coalesce(octet_length(details), 0)), 0)
            FROM task WHERE task.user_id = task_revision.user_id);
    CREATE TABLE task_import (
        user_id TEXT NOT NULL,
        revision BIGINT NOT NULL,
        PRIMARY KEY (user_id, revision)
    );
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(STATEMENTS).await.map(drop)
    }
}
