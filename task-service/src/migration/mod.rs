//! The migrations, in the SQL files of `migrations`.

use sea_orm_migration::prelude::*;
use server::{audit_log, db::SqlMigration, sql_migration};

const MIGRATIONS: [SqlMigration; 6] = [
    sql_migration!("m20261121_000001_create_task"),
    sql_migration!("m20261125_000001_extend_task"),
    audit_log::migration("m20261126_000001_create_security_event"),
    sql_migration!("m20261129_000001_search_every_script"),
    sql_migration!("m20261129_000002_count_usage"),
    sql_migration!("m20261130_000001_drop_indexes"),
];

/// The migrator of the tables.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        MIGRATIONS.into_iter().map(SqlMigration::boxed).collect()
    }

    /// Its own name, so that services can share a database.
    fn migration_table_name() -> DynIden {
        "task_service_migration".into_iden()
    }
}
