//! A table of a running service, read over a connection of its own: what is on disk.

#![expect(clippy::disallowed_methods, reason = "tests look at what is on disk")]

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    QueryResult, TransactionTrait, TryGetable,
    sea_query::{Alias, Query},
};

/// One table, over a connection of its own.
pub struct Table {
    database: DatabaseConnection,
    name: &'static str,
}

impl Table {
    pub async fn open(address: &str, name: &'static str) -> Self {
        let mut options = ConnectOptions::new(address);
        options.max_connections(1).sqlx_logging(false);
        let database = Database::connect(options).await.expect("the database answers");
        Self { database, name }
    }

    /// One column of all rows, in no particular order.
    pub async fn column<T: TryGetable>(&self, column: &'static str) -> Vec<T> {
        let mut query = Query::select();
        query.column(Alias::new(column)).from(Alias::new(self.name));
        let rows = self.database.query_all(&query).await.expect("the table answers");
        let value = |row: &QueryResult| row.try_get("", column).expect("a value of that type");
        rows.iter().map(value).collect()
    }

    /// The result of SQLite's integrity check of the file.
    pub async fn integrity(&self) -> Vec<String> {
        let check = "integrity_check";
        let mut query = Query::select();
        query.column(Alias::new(check)).from(Alias::new("pragma_integrity_check"));
        let rows = self.database.query_all(&query).await.expect("the file can be read");
        rows.iter().map(|row| row.try_get("", check).expect("text")).collect()
    }

    /// Writes a number into one column of all rows, past every rule of the service.
    pub async fn spoil(&self, column: &str, number: i64) {
        let statement = format!("UPDATE \"{}\" SET \"{column}\" = {number}", self.name);
        self.database.execute_unprepared(&statement).await.expect("the rows are changed");
    }

    /// Locks the table against writers until the returned transaction is dropped.
    #[expect(clippy::disallowed_methods, reason = "a lock from outside, on its own connection")]
    pub async fn lock(&self) -> DatabaseTransaction {
        let held = self.database.begin().await.expect("a transaction");
        let statement = match self.database.get_database_backend() {
            DbBackend::Postgres => format!("LOCK TABLE \"{}\" IN ACCESS EXCLUSIVE MODE", self.name),
            // Deleting nothing takes the lock on the whole file.
            _ => format!("DELETE FROM \"{}\" WHERE 1 = 0", self.name),
        };
        held.execute_unprepared(&statement).await.expect("the lock");
        held
    }

    /// Renames the table, so that its queries fail.
    pub async fn hide(&self) {
        let statement = format!("ALTER TABLE \"{0}\" RENAME TO \"{0}_hidden\"", self.name);
        self.database.execute_unprepared(&statement).await.expect("the table is renamed");
    }

    /// Has PostgreSQL refuse every new row with this SQLSTATE, as where a resource is used up.
    pub async fn refuse_inserts(&self, state: &str) {
        let statement = format!(
            "CREATE FUNCTION no_more() RETURNS trigger LANGUAGE plpgsql AS $$ \
             BEGIN RAISE EXCEPTION 'no more' USING ERRCODE = '{state}'; END $$; \
             CREATE TRIGGER no_more BEFORE INSERT ON \"{}\" EXECUTE FUNCTION no_more()",
            self.name
        );
        self.database.execute_unprepared(&statement).await.expect("a trigger");
    }

    /// Ends what [`Table::refuse_inserts`] began.
    pub async fn allow_inserts(&self) {
        let statement = format!("DROP TRIGGER no_more ON \"{}\"", self.name);
        self.database.execute_unprepared(&statement).await.expect("no trigger");
    }
}
