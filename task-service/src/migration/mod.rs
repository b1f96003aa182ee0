//! How the tables came to be, step by step. Steps are only ever added.

mod m20261121_000001_create_task;
mod m20261125_000001_extend_task;
mod m20261126_000001_create_security_event;
mod m20261129_000001_search_every_script;
mod m20261129_000002_count_usage;

use sea_orm_migration::prelude::*;

/// Brings the tables up to date.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_create_task::Migration),
            Box::new(m20261125_000001_extend_task::Migration),
            Box::new(m20261126_000001_create_security_event::Migration),
            Box::new(m20261129_000001_search_every_script::Migration),
            Box::new(m20261129_000002_count_usage::Migration),
        ]
    }

    /// Named apart from other services', so that they can share a database.
    fn migration_table_name() -> DynIden {
        "task_service_migration".into_iden()
    }
}
