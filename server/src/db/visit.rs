//! A database that others work on, opened by a command for a moment: nothing is made,
//! nothing migrated.

use sea_orm::{Database as Driver, DbBackend, DbErr};

use super::{Database, DatabaseUrl, PATIENCE, wal_checkpoint::WalFile};
use crate::storage::SpaceFloor;

impl Database {
    /// Connects to a database that is there, beside the servers that use it.
    pub async fn visit(url: &DatabaseUrl) -> Result<Self, DbErr> {
        Self::enter(url, false).await
    }

    /// The same for looking alone: the database itself refuses every change.
    pub async fn look_at(url: &DatabaseUrl) -> Result<Self, DbErr> {
        Self::enter(url, true).await
    }

    /// One connection for everything: a command does one thing after the other.
    async fn enter(url: &DatabaseUrl, looks_only: bool) -> Result<Self, DbErr> {
        match url.reach().await {
            // To look is all that a standby is for.
            Err(away) if !(looks_only && away.is_read_only()) => return Err(away.into()),
            _ => {}
        }
        let mut options = url.options(1, false);
        if url.backend == DbBackend::Postgres {
            options.statement_timeout(PATIENCE);
            if looks_only {
                options.map_sqlx_postgres_opts(|server| {
                    server.options([("default_transaction_read_only", "on")])
                });
            }
        } else {
            let query_only = if looks_only { "ON" } else { "OFF" };
            options.map_sqlx_sqlite_opts(move |file| {
                file.create_if_missing(false)
                    .pragma("query_only", query_only)
                    .pragma("synchronous", "FULL")
                    .busy_timeout(PATIENCE)
                    .foreign_keys(true)
            });
        }
        let connection = Driver::connect(options).await?;
        Ok(Self {
            scans: connection.clone(),
            reader: connection.clone(),
            writer: connection,
            wal: WalFile::default(),
            floor: SpaceFloor::default(),
            file: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sea_orm::ConnectionTrait;

    use super::*;

    #[tokio::test]
    async fn a_visit_makes_no_file_and_a_look_changes_nothing() -> Result<(), DbErr> {
        let folder = std::env::temp_dir().join(format!("visit-{}", std::process::id()));
        let url = format!("sqlite://{}/sub/test.db", folder.display());
        let url = DatabaseUrl::parse(&url, 8).expect("an address");
        assert!(Database::visit(&url).await.is_err());
        assert!(Database::look_at(&url).await.is_err());
        assert!(!folder.exists());

        let server = Database::connect(&url).await?;
        let visitor = Database::visit(&url).await?;
        visitor.writer().execute_unprepared("CREATE TABLE t (x)").await?;
        let onlooker = Database::look_at(&url).await?;
        onlooker.writer().execute_unprepared("SELECT x FROM t").await?;
        assert!(onlooker.writer().execute_unprepared("INSERT INTO t VALUES (1)").await.is_err());
        for database in [onlooker, visitor, server] {
            database.close().await?;
        }
        fs::remove_dir_all(folder).expect("the folder");
        Ok(())
    }
}
