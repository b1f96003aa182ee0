//! The schema status of a database: its migrations, tables and clock. No user's rows are read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use sea_orm_migration::MigratorTrait;

use super::{Database, connector::Connector};

/// Whether Citus has its table of distributed tables here.
const HAS_CITUS: &str = "SELECT to_regclass('pg_dist_partition') IS NOT NULL";

/// The tables that are distributed by a hash, with their groups.
const DISTRIBUTED: &str = "SELECT relname::text, colocationid::int8 FROM pg_dist_partition \
    JOIN pg_class ON oid = logicalrelid WHERE partmethod = 'h' AND pg_table_is_visible(oid)";

/// The migrations of a database, compared with those of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrations {
    /// The number of applied migrations.
    pub applied: usize,
    /// The migrations that the database lacks.
    pub pending: Vec<String>,
    /// The migrations that the program does not know: a newer release has run.
    pub unknown: Vec<String>,
}

impl Database {
    /// Compares the migrations that were applied with those of `M`.
    pub async fn migrations<M: MigratorTrait>(&self) -> Result<Migrations, DbErr> {
        let table = M::migration_table_name().to_string();
        let mut applied: Vec<String> = Vec::new();
        if self.has_table(&table).await? {
            let rows = self.query(format!(r#"SELECT version FROM "{table}" ORDER BY version"#));
            let version = |row: &QueryResult| row.try_get_by_index(0);
            applied = rows.await?.iter().map(version).collect::<Result<_, _>>()?;
        }
        let known: Vec<String> = M::migrations().iter().map(|one| one.name().to_owned()).collect();
        let missing_in = |there: &[String], here: &[String]| {
            here.iter().filter(|name| !there.contains(name)).cloned().collect()
        };
        Ok(Migrations {
            applied: applied.len(),
            pending: missing_in(&applied, &known),
            unknown: missing_in(&known, &applied),
        })
    }

    /// Whether there is a table of this name.
    #[expect(clippy::disallowed_methods, reason = "asks about tables, touches no user's rows")]
    pub async fn has_table(&self, name: &str) -> Result<bool, DbErr> {
        let tables = match self.backend() {
            DbBackend::Postgres => {
                "pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = $1"
            }
            _ => "sqlite_master WHERE type = 'table' AND name = $1",
        };
        let sql = format!("SELECT 1 FROM {tables}");
        let query = Statement::from_sql_and_values(self.backend(), sql, [name.into()]);
        Ok(self.reader.query_one_raw(query).await?.is_some())
    }

    /// The tables that Citus, an extension of PostgreSQL, distributes over its workers, each with the
    /// group of those whose rows are together. None without it.
    pub async fn distributed_tables(&self) -> Result<BTreeMap<String, i64>, DbErr> {
        if self.backend() != DbBackend::Postgres {
            return Ok(BTreeMap::new());
        }
        let has_citus = self.query(HAS_CITUS.to_owned()).await?;
        if !has_citus.first().map_or(Ok(false), |row| row.try_get_by_index(0))? {
            return Ok(BTreeMap::new());
        }
        let rows = self.query(DISTRIBUTED.to_owned()).await?;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
    }

    /// The clock of the database's machine; `None` for SQLite, on this one.
    pub async fn time(&self) -> Result<Option<DateTime<Utc>>, DbErr> {
        if self.backend() != DbBackend::Postgres {
            return Ok(None);
        }
        let rows = self.query("SELECT clock_timestamp()".to_owned()).await?;
        rows.first().map(|row| row.try_get_by_index(0)).transpose()
    }

    /// Whether the connection to the server is encrypted; `None` for SQLite, which has none. To a
    /// pooler, whether it has to be: the server knows of its own connections alone.
    pub(super) async fn is_encrypted(&self) -> Result<Option<bool>, DbErr> {
        if let Connector::Postgres { servers, .. } = self.writer.connector()
            && servers.is_pooled()
        {
            return Ok(Some(servers.are_encrypted()));
        }
        if self.backend() != DbBackend::Postgres {
            return Ok(None);
        }
        let own = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let rows = self.query(own.to_owned()).await?;
        rows.first().map(|row| row.try_get_by_index(0)).transpose()
    }

    /// SQLite's journal mode (`wal` once a server has run); `None` on PostgreSQL.
    pub async fn journal_mode(&self) -> Result<Option<String>, DbErr> {
        if self.backend() == DbBackend::Postgres {
            return Ok(None);
        }
        let rows = self.query("PRAGMA journal_mode".to_owned()).await?;
        rows.first().map(|row| row.try_get_by_index(0)).transpose()
    }

    #[expect(clippy::disallowed_methods, reason = "asks about tables, touches no user's rows")]
    async fn query(&self, sql: String) -> Result<Vec<QueryResult>, DbErr> {
        self.reader.query_all_raw(Statement::from_string(self.backend(), sql)).await
    }
}
