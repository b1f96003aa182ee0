//! Transactions that write.

use sea_orm::{
    AccessMode, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

use super::Database;

impl Database {
    /// Begins a transaction that may read and write. On SQLite it holds the write lock
    /// from the start: a read that turns into a write later fails at once when somebody
    /// else wrote in between. Dropped without `commit`, it rolls back.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            access_mode: None::<AccessMode>,
            isolation_level: None,
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        self.writer.begin_with_options(options).await
    }
}
