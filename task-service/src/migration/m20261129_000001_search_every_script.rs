//! Search in scripts without spaces, and tags compared by their letters alone.
//!
//! Nothing is computed here: rows are indexed anew while the service serves, those of
//! replicas of an older version as well, which write `words` as they always did.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The same on both databases. The index has the rows whose words were made by other rules
/// than today's, and is empty most of the time.
const STATEMENTS: &str = "
    ALTER TABLE task ADD COLUMN phrases TEXT;
    CREATE INDEX task_outdated ON task (user_id, id)
        WHERE coalesce(substr(words, 1, 2), '') <> '§2';
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(STATEMENTS).await.map(drop)
    }
}
