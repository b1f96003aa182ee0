//! The values of a row by position, straight from the driver: by name, each would cost a search, and
//! each NULL a text.

use sea_orm::{
    ConnectionTrait, DbErr, QueryResult, SqlxError, Statement,
    prelude::Uuid,
    sqlx::{Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow},
};

use super::{Transaction, pool::query_error};

/// A connection or a pool, with rows that are read by position.
pub trait ReadRows: ConnectionTrait {
    /// Reads each row of a statement. A single read statement outside a transaction: on a
    /// [`reader`](super::Database::reader) of SQLite a short one runs on the calling thread, and
    /// `read` may be called again for the same rows.
    fn read_rows<T, E, F>(
        &self,
        statement: Statement,
        read: F,
    ) -> impl Future<Output = Result<Vec<T>, E>> + Send
    where
        T: Send,
        E: From<DbErr> + Send,
        F: FnMut(RowValues<'_>) -> Result<T, E> + Send;
}

impl ReadRows for Transaction {
    async fn read_rows<T, E, F>(&self, statement: Statement, read: F) -> Result<Vec<T>, E>
    where
        T: Send,
        E: From<DbErr> + Send,
        F: FnMut(RowValues<'_>) -> Result<T, E> + Send,
    {
        read_all(&self.query_all_raw(statement).await?, read)
    }
}

/// Reads rows of the driver.
pub(super) fn read_all<T, E: From<DbErr>>(
    rows: &[QueryResult],
    mut read: impl FnMut(RowValues<'_>) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    rows.iter().map(|row| read(RowValues::of(row)?)).collect()
}

/// The values of a row that are not read yet, in the order of the select.
pub struct RowValues<'r> {
    row: DriverRow<'r>,
    next: usize,
}

enum DriverRow<'r> {
    Postgres(&'r PgRow),
    Sqlite(&'r SqliteRow),
    /// Of a read on the calling thread.
    InPlace(&'r rusqlite::Row<'r>),
}

/// A type that is read alike from either database.
pub trait ColumnValue<'r>:
    Decode<'r, Postgres> + Type<Postgres> + Decode<'r, Sqlite> + Type<Sqlite> + InPlace<'r>
{
}

impl<'r, T> ColumnValue<'r> for T where
    T: Decode<'r, Postgres> + Type<Postgres> + Decode<'r, Sqlite> + Type<Sqlite> + InPlace<'r>
{
}

impl<'r> RowValues<'r> {
    pub(super) fn in_place(row: &'r rusqlite::Row<'r>) -> Self {
        Self { row: DriverRow::InPlace(row), next: 0 }
    }

    /// All values of `row`.
    pub fn of(row: &'r QueryResult) -> Result<Self, DbErr> {
        let postgres = row.try_as_pg_row().map(DriverRow::Postgres);
        let row = postgres.or_else(|| row.try_as_sqlite_row().map(DriverRow::Sqlite));
        let row = row.ok_or_else(|| DbErr::Type("a row of an unknown driver".to_owned()))?;
        Ok(Self { row, next: 0 })
    }

    /// The next value.
    pub fn take<T: ColumnValue<'r>>(&mut self) -> Result<T, DbErr> {
        let value = match self.row {
            DriverRow::Postgres(row) => row.try_get(self.next),
            DriverRow::Sqlite(row) => row.try_get(self.next),
            DriverRow::InPlace(row) => {
                row.get_ref(self.next).ok().and_then(T::in_place).ok_or_else(|| {
                    SqlxError::Decode(format!("column {} is of another type", self.next).into())
                })
            }
        };
        self.next += 1;
        value.map_err(query_error)
    }
}

use in_place::InPlace;

mod in_place {
    use rusqlite::types::ValueRef;

    use super::Uuid;

    /// A type that is read from SQLite on the calling thread; `None`: the value is of another.
    pub trait InPlace<'r>: Sized {
        fn in_place(value: ValueRef<'r>) -> Option<Self>;
    }

    impl InPlace<'_> for i64 {
        fn in_place(value: ValueRef<'_>) -> Option<Self> {
            value.as_i64().ok()
        }
    }

    impl InPlace<'_> for bool {
        fn in_place(value: ValueRef<'_>) -> Option<Self> {
            value.as_i64().ok().map(|number| number != 0)
        }
    }

    impl<'r> InPlace<'r> for &'r str {
        fn in_place(value: ValueRef<'r>) -> Option<Self> {
            value.as_str().ok()
        }
    }

    impl InPlace<'_> for String {
        fn in_place(value: ValueRef<'_>) -> Option<Self> {
            value.as_str().ok().map(str::to_owned)
        }
    }

    impl InPlace<'_> for Uuid {
        fn in_place(value: ValueRef<'_>) -> Option<Self> {
            Self::from_slice(value.as_blob().ok()?).ok()
        }
    }

    impl<'r, T: InPlace<'r>> InPlace<'r> for Option<T> {
        fn in_place(value: ValueRef<'r>) -> Option<Self> {
            match value {
                ValueRef::Null => Some(None),
                value => T::in_place(value).map(Some),
            }
        }
    }
}
