//! The migration that makes Better Auth's four tables, where they do not exist yet.

use sea_orm_migration::prelude::*;
use server::{db::SqlMigration, sql_migration};

const TABLES: SqlMigration = sql_migration!("m20261121_000001_better_auth");
const INDEXES: SqlMigration = sql_migration!("better_auth_indexes");

/// The tables, and their indexes where they are new: existing tables get no index.
pub struct BetterAuth;

impl MigrationName for BetterAuth {
    fn name(&self) -> &str {
        TABLES.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for BetterAuth {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_new = !manager.has_table("user").await?;
        TABLES.up(manager).await?;
        if is_new { INDEXES.up(manager).await } else { Ok(()) }
    }
}
