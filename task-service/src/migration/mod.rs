//! The migrations, in SQL for each database. They are only ever added and never changed, since
//! databases have run them.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// A migration. The database records its name.
struct Step {
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// The migration with the files of this name.
macro_rules! step {
    ($name:literal) => {
        Step {
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }
    };
}

const STEPS: [Step; 5] = [
    step!("m20261121_000001_create_task"),
    step!("m20261125_000001_extend_task"),
    step!("m20261126_000001_create_security_event"),
    step!("m20261129_000001_search_every_script"),
    step!("m20261129_000002_count_usage"),
];

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements = match manager.get_database_backend() {
            DbBackend::Postgres => self.postgres,
            _ => self.sqlite,
        };
        manager.get_connection().execute_unprepared(statements).await.map(drop)
    }
}

/// The migrator of the tables.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        STEPS.into_iter().map(|step| Box::new(step) as Box<dyn MigrationTrait>).collect()
    }

    /// Its own name, so that services can share a database.
    fn migration_table_name() -> DynIden {
        "task_service_migration".into_iden()
    }
}
