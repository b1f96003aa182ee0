//! The values of a row by position, straight from the driver: by name, each would cost a search, and
//! each NULL a text.

use std::sync::Arc;

use sea_orm::{
    DbErr, QueryResult, RuntimeErr, SqlxError,
    sqlx::{Decode, Postgres, Row, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow},
};

/// The values of a row that are not read yet, in the order of the select.
pub struct RowValues<'r> {
    row: DriverRow<'r>,
    next: usize,
}

enum DriverRow<'r> {
    Postgres(&'r PgRow),
    Sqlite(&'r SqliteRow),
}

/// A type that is read alike from either database.
pub trait Value<'r>:
    Decode<'r, Postgres> + Type<Postgres> + Decode<'r, Sqlite> + Type<Sqlite>
{
}

impl<'r, T> Value<'r> for T where
    T: Decode<'r, Postgres> + Type<Postgres> + Decode<'r, Sqlite> + Type<Sqlite>
{
}

impl<'r> RowValues<'r> {
    /// All values of `row`.
    pub fn of(row: &'r QueryResult) -> Result<Self, DbErr> {
        let postgres = row.try_as_pg_row().map(DriverRow::Postgres);
        let row = postgres.or_else(|| row.try_as_sqlite_row().map(DriverRow::Sqlite));
        let row = row.ok_or_else(|| DbErr::Type("a row of an unknown driver".to_owned()))?;
        Ok(Self { row, next: 0 })
    }

    /// The next value.
    pub fn next<T: Value<'r>>(&mut self) -> Result<T, DbErr> {
        let value = match self.row {
            DriverRow::Postgres(row) => row.try_get(self.next),
            DriverRow::Sqlite(row) => row.try_get(self.next),
        };
        self.next += 1;
        value.map_err(|error: SqlxError| DbErr::Query(RuntimeErr::SqlxError(Arc::new(error))))
    }
}
