//! A database in use, opened by a command: nothing is created or migrated.

use sea_orm::{DbBackend, DbErr};

use super::{Database, DatabaseUrl, Pool, transaction::WriterQueue, wal_checkpoint::WalFile};
use crate::storage::FreeSpaceLimit;

impl Database {
    /// Connects to an existing database, beside the servers that use it.
    pub async fn connect_existing(url: &DatabaseUrl) -> Result<Self, DbErr> {
        Self::connect_single(url, false).await
    }

    /// Connects read-only: the database itself refuses every change.
    pub async fn connect_read_only(url: &DatabaseUrl) -> Result<Self, DbErr> {
        Self::connect_single(url, true).await
    }

    /// A single connection, as a command works sequentially.
    async fn connect_single(url: &DatabaseUrl, is_read_only: bool) -> Result<Self, DbErr> {
        match url.check_reachable().await {
            // A standby can be read.
            Err(unreachable) if !(is_read_only && unreachable.is_read_only()) => {
                return Err(unreachable.into());
            }
            _ => {}
        }
        let read_only = if is_read_only { "on" } else { "off" };
        let connector = if url.backend == DbBackend::Postgres {
            url.postgres(false, &[("default_transaction_read_only", read_only)])?
        } else {
            let pragmas =
                [("query_only", read_only.to_owned()), ("synchronous", "FULL".to_owned())];
            url.sqlite(None, &pragmas)?
        };
        let connection = Pool::connect(connector, 1, None).await?;
        Ok(Self {
            scans: connection.clone(),
            reader: connection.clone(),
            writer: connection,
            writers: WriterQueue::default(),
            wal: WalFile::default(),
            free_space: FreeSpaceLimit::default(),
            file: None,
            listens_at: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sea_orm::ConnectionTrait;

    use super::*;

    #[tokio::test]
    async fn a_command_creates_no_file_and_a_read_only_connection_changes_nothing()
    -> Result<(), DbErr> {
        let folder = std::env::temp_dir().join(format!("visit-{}", std::process::id()));
        let url = format!("sqlite://{}/sub/test.db", folder.display());
        let url = DatabaseUrl::parse(&url, 8).expect("an address");
        assert!(Database::connect_existing(&url).await.is_err());
        assert!(Database::connect_read_only(&url).await.is_err());
        assert!(!folder.exists());

        let server = Database::connect(&url).await?;
        let visitor = Database::connect_existing(&url).await?;
        visitor.writer().execute_unprepared("CREATE TABLE t (x)").await?;
        let onlooker = Database::connect_read_only(&url).await?;
        onlooker.writer().execute_unprepared("SELECT x FROM t").await?;
        assert!(onlooker.writer().execute_unprepared("INSERT INTO t VALUES (1)").await.is_err());
        for database in [onlooker, visitor, server] {
            database.close().await?;
        }
        fs::remove_dir_all(folder).expect("the folder");
        Ok(())
    }
}
