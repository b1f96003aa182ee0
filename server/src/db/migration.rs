//! The migration of a database to the current schema, in SQL files for each kind of database.
//! `Store::open` of auth-service, and `assemble` and `restore` of task-service run the missing ones.

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};

use super::{Database, transaction::run_to_completion};

impl Database {
    /// Applies the missing migrations of `M` atomically. Of processes that start at once, one
    /// migrates and the others wait.
    pub async fn migrate<M: MigratorTrait + 'static>(&self) -> Result<(), DbErr> {
        self.migrate_until::<M>(None).await?;
        self.prepare_probe().await
    }

    /// Applies at most this number of the missing migrations of `M`.
    pub async fn migrate_until<M: MigratorTrait + 'static>(
        &self,
        steps: Option<u32>,
    ) -> Result<(), DbErr> {
        let (connection, settings) = self.writer.connector().driver_pool().await?;
        run_to_completion(async move {
            let done = migrate::<M>(&connection, settings.as_deref(), steps).await;
            connection.close().await?;
            done
        })
        .await
    }
}

/// Removes the driver's named statements from a session that others have before and after: the names
/// are the same in all processes.
const FORGET_STATEMENTS: &str = r"DO $$ DECLARE statement text; BEGIN
    FOR statement IN SELECT name FROM pg_prepared_statements WHERE name LIKE 'sqlx\_s\_%' LOOP
        EXECUTE format('DEALLOCATE %I', statement);
    END LOOP;
END $$";

#[expect(clippy::disallowed_methods, reason = "migrations take the driver's own transactions")]
async fn migrate<M: MigratorTrait>(
    on: &DatabaseConnection,
    settings: Option<&str>,
    steps: Option<u32>,
) -> Result<(), DbErr> {
    let options = TransactionOptions {
        access_mode: None::<AccessMode>,
        isolation_level: None,
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
    };
    let transaction = on.begin_with_options(options).await?;
    if let Some(settings) = settings {
        transaction.execute_unprepared(&format!("{settings}; {FORGET_STATEMENTS}")).await?;
    }
    if on.get_database_backend() == DbBackend::Postgres {
        let table = M::migration_table_name().to_string();
        transaction
            .execute_unprepared(&format!(
                "SET LOCAL statement_timeout = '60s'; \
                 SELECT pg_advisory_xact_lock(hashtext('{table}'))"
            ))
            .await?;
    }
    M::up(&transaction, steps).await?;
    if settings.is_some() {
        transaction.execute_unprepared(FORGET_STATEMENTS).await?;
    }
    transaction.commit().await
}

/// A migration in SQL. The database records its name.
#[derive(Clone, Copy)]
pub struct SqlMigration {
    /// The name.
    pub name: &'static str,
    /// The statements on SQLite.
    pub sqlite: &'static str,
    /// The statements on PostgreSQL.
    pub postgres: &'static str,
}

/// The migration with the files of this name in `migrations/sqlite` and `migrations/postgres` of the
/// crate. Migrations are only ever added and never changed, since databases have run them.
#[macro_export]
macro_rules! sql_migration {
    ($name:literal) => {
        $crate::db::SqlMigration {
            name: $name,
            sqlite: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/migrations/sqlite/",
                $name,
                ".sql"
            )),
            postgres: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/migrations/postgres/",
                $name,
                ".sql"
            )),
        }
    };
}

impl SqlMigration {
    /// The migration as an entry of a migrator.
    #[must_use]
    pub fn boxed(self) -> Box<dyn MigrationTrait> {
        Box::new(self)
    }
}

impl MigrationName for SqlMigration {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SqlMigration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        if manager.get_database_backend() != DbBackend::Postgres {
            return connection.execute_unprepared(self.sqlite).await.map(drop);
        }
        // One by one: Citus refuses some of them beside others.
        for statement in statements(self.postgres) {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

/// What a semicolon does not end a statement in.
const QUOTES: [(&str, &str); 5] =
    [("--", "\n"), ("/*", "*/"), ("'", "'"), ("\"", "\""), ("$$", "$$")];

/// The statements of a text of SQL, with the comments before them.
fn statements(sql: &str) -> Vec<&str> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(next) = sql[at..].chars().next() {
        let rest = &sql[at..];
        if let Some((open, close)) = QUOTES.iter().find(|(open, _)| rest.starts_with(open)) {
            let inner = &rest[open.len()..];
            at += open.len() + inner.find(close).map_or(inner.len(), |end| end + close.len());
            continue;
        }
        at += next.len_utf8();
        if next == ';' {
            found.push(&sql[start..at]);
            start = at;
        }
    }
    found.push(&sql[start..]);
    found.retain(|statement| !statement.trim().is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_ends_a_statement_unless_it_is_quoted() {
        let texts = [
            "SELECT 'it''s; §2', \"a;b\";",
            "\n-- one; with ' and $$\nDO $$ BEGIN; ' END $$;",
            "/* none; */ SELECT 1",
        ];
        assert_eq!(statements(&texts.concat()), texts);
        assert_eq!(statements("SELECT 1;\n\n"), ["SELECT 1;"]);
        assert_eq!(statements(" \n"), [""; 0]);
        assert_eq!(statements("SELECT 'open; "), ["SELECT 'open; "]);
    }
}
