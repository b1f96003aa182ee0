//! Bringing the tables of a database up to date.

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;

use super::{Database, transaction::to_its_end};

impl Database {
    /// Applies what is missing of `M`, all of it or nothing, however many processes start
    /// at once: the second one waits and then finds nothing to do.
    pub async fn migrate<M: MigratorTrait + 'static>(&self) -> Result<(), DbErr> {
        to_its_end(migrate::<M>(self.writer.clone())).await?;
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
