//! The migrations, forward only, in the SQL files of `migrations`. Tables of a Better Auth server are
//! not altered.

mod better_auth;

use sea_orm_migration::prelude::*;
use server::{audit_log, db::SqlMigration, sql_migration};

use self::better_auth::BetterAuth;

/// The migrations after Better Auth's tables.
const MIGRATIONS: [SqlMigration; 6] = [
    sql_migration!("m20261126_000001_create_attempt"),
    sql_migration!("m20261126_000002_create_erasure"),
    sql_migration!("m20261126_000003_create_session_use_and_rotated_token"),
    audit_log::migration("m20261126_000004_create_security_event"),
    sql_migration!("m20261126_000005_create_largest_id"),
    sql_migration!("m20261129_000001_keep_finished_erasures"),
];

/// The migrator of the tables.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let first: Box<dyn MigrationTrait> = Box::new(BetterAuth);
        let others = MIGRATIONS.into_iter().map(SqlMigration::boxed);
        std::iter::once(first).chain(others).collect()
    }

    /// Its own name, so that services can share a database.
    fn migration_table_name() -> DynIden {
        "auth_service_migration".into_iden()
    }
}
