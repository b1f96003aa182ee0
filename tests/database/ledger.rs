//! A table of numbers, written through the handle and read over another connection.

#![expect(clippy::disallowed_methods, reason = "the table is the test's own")]

use fixtures::FreshDatabase;
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExprTrait,
    sea_query::{Expr, Query},
};
use server::db::{Database, DatabaseUrl, Pool, Transaction};

/// A database with one table, `ledger`, and a connection beside it.
pub struct Ledger {
    pub database: Database,
    outside: Database,
}

impl Ledger {
    /// Opens it with so many connections (PostgreSQL only).
    pub async fn open(fresh: &FreshDatabase, connections: u32) -> Self {
        let url = DatabaseUrl::parse(fresh.address(), connections).expect("an address");
        Self::open_at(&url).await
    }

    /// Opens the one at an address.
    pub async fn open_at(url: &DatabaseUrl) -> Self {
        let database = Database::connect(url).await.expect("the database opens");
        let table = "CREATE TABLE ledger (number BIGINT PRIMARY KEY, filler TEXT)";
        database.writer().execute_unprepared(table).await.expect("the table is made");
        let outside = Database::connect_read_only(url).await.expect("a second connection");
        Self { database, outside }
    }

    /// Adds a number with one statement.
    pub async fn add(&self, number: i64) -> Result<(), DbErr> {
        self.database.writer().execute_unprepared(&adding(number)).await.map(drop)
    }

    /// Adds a number in a transaction of its own.
    pub async fn add_in_transaction(&self, number: i64) -> Result<(), DbErr> {
        let transaction = self.database.begin().await?;
        add_in(&transaction, number).await?;
        transaction.commit().await
    }

    /// Whether another connection sees a number.
    pub async fn has(&self, number: i64) -> bool {
        let mut query = Query::select();
        query.expr(Expr::col("number").count()).from("ledger");
        query.and_where(Expr::col("number").eq(number));
        self.ask(&query).await == 1
    }

    /// How many sessions of this database are inside a transaction in which nothing runs.
    pub async fn left_open(&self) -> i64 {
        let mut query = Query::select();
        query.expr(Expr::col("pid").count()).from("pg_stat_activity");
        query.and_where(Expr::cust("datname = current_database()"));
        query.and_where(Expr::cust("state LIKE 'idle in transaction%'"));
        self.ask(&query).await
    }

    /// Ends a session of this database.
    pub async fn end_session(&self, pid: i32) {
        let end = format!("SELECT pg_terminate_backend({pid})");
        self.outside.reader().execute_unprepared(&end).await.expect("the session ends");
    }

    async fn ask(&self, query: &sea_orm::sea_query::SelectStatement) -> i64 {
        let row = self.outside.reader().query_one(query).await.expect("it can be read");
        row.expect("one row").try_get_by_index(0).expect("a count")
    }

    /// What every test ends with: a change that is refused, then one that is answered with
    /// success, by each way to write, is seen by others.
    pub async fn works_on(&self, from: i64) {
        let refused = self.database.begin().await.expect("a transaction begins");
        add_in(&refused, from).await.expect("a row is written");
        refused.rollback().await.expect("rolled back");
        assert!(!self.has(from).await, "what was rolled back is not there");

        self.add_in_transaction(from + 1).await.expect("a transaction commits");
        assert!(self.has(from + 1).await, "what a transaction committed is there");
        self.add(from + 2).await.expect("a statement is executed");
        assert!(self.has(from + 2).await, "what a statement wrote is there");
    }
}

/// Adds a number inside a transaction.
pub async fn add_in(on: &Transaction, number: i64) -> Result<(), DbErr> {
    on.execute_unprepared(&adding(number)).await.map(drop)
}

/// Makes SQLite's writing connection known by a mark that is gone with it.
pub async fn mark(writer: &Pool) {
    assert_eq!(writer.get_database_backend(), DbBackend::Sqlite);
    writer.execute_unprepared("CREATE TEMP TABLE mark (x)").await.expect("a mark is made");
}

/// Whether SQLite's writing connection is the one that was marked.
pub async fn is_marked(writer: &Pool) -> bool {
    writer.execute_unprepared("SELECT x FROM temp.mark").await.is_ok()
}

fn adding(number: i64) -> String {
    format!("INSERT INTO ledger (number) VALUES ({number})")
}
