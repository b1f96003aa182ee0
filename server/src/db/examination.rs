//! What can be told of a database by looking: how far its tables are, which time it has.
//! Nothing here reads anybody's rows.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use sea_orm_migration::{MigratorTrait, SchemaManager};

use super::Database;

/// How the migrations of a database compare with those of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrations {
    /// How many the database has.
    pub applied: usize,
    /// Those the program has and the database has not.
    pub pending: Vec<String>,
    /// Those the database has and the program does not know: a newer one was here.
    pub unknown: Vec<String>,
}

impl Database {
    /// Compares the migrations that were applied with those of `M`.
    pub async fn migrations<M: MigratorTrait>(&self) -> Result<Migrations, DbErr> {
        let table = M::migration_table_name().to_string();
        let mut applied: Vec<String> = Vec::new();
        if self.has_table(&table).await? {
            let rows = self.look(format!(r#"SELECT version FROM "{table}" ORDER BY version"#));
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
    pub async fn has_table(&self, name: &str) -> Result<bool, DbErr> {
        SchemaManager::new(&self.reader).has_table(name).await
    }

    /// The time of the machine the database is on; `None`: it is on this one.
    pub async fn time(&self) -> Result<Option<DateTime<Utc>>, DbErr> {
        if self.backend() != DbBackend::Postgres {
            return Ok(None);
        }
        let rows = self.look("SELECT clock_timestamp()".to_owned()).await?;
        rows.first().map(|row| row.try_get_by_index(0)).transpose()
    }

    /// SQLite's way to commit (`wal` once a server was here); `None` on PostgreSQL.
    pub async fn journal_mode(&self) -> Result<Option<String>, DbErr> {
        if self.backend() == DbBackend::Postgres {
            return Ok(None);
        }
        let rows = self.look("PRAGMA journal_mode".to_owned()).await?;
        rows.first().map(|row| row.try_get_by_index(0)).transpose()
    }

    #[expect(clippy::disallowed_methods, reason = "asks about tables, touches nobody's rows")]
    async fn look(&self, question: String) -> Result<Vec<QueryResult>, DbErr> {
        self.reader.query_all_raw(Statement::from_string(self.backend(), question)).await
    }
}
