//! Migrations, forward only. Tables of a Better Auth server are not altered.

mod m20261121_000001_better_auth;
mod m20261126_000001_create_attempt;
mod m20261126_000002_create_erasure;
mod m20261126_000003_create_session_use_and_rotated_token;
mod m20261126_000004_create_security_event;
mod m20261126_000005_create_largest_id;
mod m20261129_000001_keep_finished_erasures;

use sea_orm_migration::{
    MigrationTrait, MigratorTrait, async_trait,
    sea_query::{DynIden, IntoIden},
};

/// The migrations, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migration_table_name() -> DynIden {
        "auth_service_migration".into_iden()
    }

    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_better_auth::Migration),
            Box::new(m20261126_000001_create_attempt::Migration),
            Box::new(m20261126_000002_create_erasure::Migration),
            Box::new(m20261126_000003_create_session_use_and_rotated_token::Migration),
            Box::new(m20261126_000004_create_security_event::Migration),
            Box::new(m20261126_000005_create_largest_id::Migration),
            Box::new(m20261129_000001_keep_finished_erasures::Migration),
        ]
    }
}
