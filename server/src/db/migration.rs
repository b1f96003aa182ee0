//! The migration of a database to the current schema.

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use super::{Database, transaction::run_to_completion};

impl Database {
    /// Applies the missing migrations of `M` atomically. Of processes that start at once, one
    /// migrates and the others wait.
    pub async fn migrate<M: MigratorTrait + 'static>(&self) -> Result<(), DbErr> {
        run_to_completion(migrate::<M>(self.writer.clone())).await?;
        self.prepare_probe().await
    }
}

#[expect(clippy::disallowed_methods, reason = "migrations take the driver's own transactions")]
async fn migrate<M: MigratorTrait>(on: DatabaseConnection) -> Result<(), DbErr> {
    let options = TransactionOptions {
        access_mode: None::<AccessMode>,
        isolation_level: None,
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
    };
    let transaction = on.begin_with_options(options).await?;
    if on.get_database_backend() == DbBackend::Postgres {
        let table = M::migration_table_name().to_string();
        transaction
            .execute_unprepared(&format!(
                "SET LOCAL statement_timeout = '60s'; \
                 SELECT pg_advisory_xact_lock(hashtext('{table}'))"
            ))
            .await?;
    }
    M::up(&transaction, None).await?;
    transaction.commit().await
}
