//! SQLite's short reads on the calling thread: the driver would hand each statement and each row
//! from one thread to another, which costs more than the read.
//!
//! A read that takes long, or fails, is given up and repeated by the driver, whose errors are the
//! only ones that callers see.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rusqlite::{
    Connection, OpenFlags, ToSql, params_from_iter,
    types::{Null, ToSqlOutput, ValueRef},
};
use sea_orm::{Statement, Value};

use super::row::RowValues;

/// The steps of SQLite's virtual machine after which a read is left to the driver, since the calling
/// thread serves other calls too: some five milliseconds. Counted in chunks.
const CHUNK: i32 = 5_000;
const MAX_CHUNKS: u32 = 10;

/// The number of prepared statements of a connection.
const STATEMENTS: usize = 128;

/// The connections that read in place. A thread uses one at a time, so there are no more than
/// threads.
#[derive(Clone)]
pub struct InPlaceReader(Arc<Inner>);

struct Inner {
    path: Box<Path>,
    idle: Mutex<Vec<LimitedConnection>>,
}

struct LimitedConnection {
    connection: Connection,
    /// The chunks that the statement has taken.
    chunks: Arc<AtomicU32>,
}

impl InPlaceReader {
    /// Of the file at `path`.
    pub fn new(path: &Path) -> Self {
        let (path, idle) = (path.into(), Mutex::default());
        Self(Arc::new(Inner { path, idle }))
    }

    /// Reads the rows of a statement; `None`: the driver is to repeat it.
    pub fn read<T, E>(
        &self,
        statement: &Statement,
        mut read: impl FnMut(RowValues<'_>) -> Result<T, E>,
    ) -> Option<Result<Vec<T>, E>> {
        let values = statement.values.as_ref().map_or(&[][..], |values| &values.0);
        if !values.iter().all(is_supported) {
            return None;
        }
        let idle = self.0.idle().pop();
        let on = idle.map_or_else(|| self.0.open().ok(), Some)?;
        on.chunks.store(0, Ordering::Relaxed);
        let result = on.read(&statement.sql, values, &mut read);
        let result = result.ok()?;
        self.0.idle().push(on);
        Some(result)
    }

    /// Closes the idle connections.
    pub fn close(&self) {
        self.0.idle().clear();
    }
}

impl LimitedConnection {
    fn read<T, E>(
        &self,
        sql: &str,
        values: &[Value],
        read: &mut impl FnMut(RowValues<'_>) -> Result<T, E>,
    ) -> rusqlite::Result<Result<Vec<T>, E>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(values.iter().map(Bound)))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            match read(RowValues::in_place(row)) {
                Ok(value) => found.push(value),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(found))
    }
}

impl Inner {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<LimitedConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> rusqlite::Result<LimitedConnection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // The driver waits for locks.
        connection.busy_timeout(Duration::ZERO)?;
        connection.execute_batch("PRAGMA query_only = ON")?;
        let chunks = Arc::new(AtomicU32::new(0));
        let taken = chunks.clone();
        let is_over = move || taken.fetch_add(1, Ordering::Relaxed) >= MAX_CHUNKS;
        connection.progress_handler(CHUNK, Some(is_over))?;
        Ok(LimitedConnection { connection, chunks })
    }
}

/// A value as SQLite takes it.
struct Bound<'v>(&'v Value);

/// Whether [`Bound`] knows the type of `value`.
fn is_supported(value: &Value) -> bool {
    matches!(
        value,
        Value::Bool(_)
            | Value::BigInt(_)
            | Value::BigUnsigned(_)
            | Value::String(_)
            | Value::Uuid(_)
    )
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Bool(Some(value)) => i64::from(*value).into(),
            Value::BigInt(Some(number)) => (*number).into(),
            Value::BigUnsigned(Some(number)) => i64::try_from(*number).unwrap_or(i64::MAX).into(),
            Value::String(Some(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Uuid(Some(id)) => ToSqlOutput::Borrowed(ValueRef::Blob(id.as_bytes())),
            _ => Null.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, DbBackend, DbErr, prelude::Uuid};

    use super::*;
    use crate::db::{Database, ReadRows, temporary_file::TemporaryFile};

    type Found = (i64, Option<String>, Uuid, bool, Option<i64>);

    fn row(mut values: RowValues<'_>) -> Result<Found, DbErr> {
        Ok((values.take()?, values.take()?, values.take()?, values.take()?, values.take()?))
    }

    #[expect(clippy::disallowed_methods, reason = "a table of the test's own")]
    fn statement(sql: &str, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "a table of the test's own")]
    async fn rows_are_read_alike_in_place_and_by_the_driver() {
        let file = TemporaryFile::new("in-place");
        let database = Database::connect(&file.url()).await.expect("connected");
        let on = database.writer();
        let table = "CREATE TABLE t (a INTEGER, b TEXT, c BLOB, d BOOLEAN, e INTEGER)";
        on.execute_unprepared(table).await.expect("a table");
        let id = Uuid::from_u128(7);
        let values: Vec<Value> =
            vec![5.into(), "Grün".into(), id.into(), true.into(), None::<i64>.into()];
        let values = values.into_iter().map(|value| match value {
            Value::Int(Some(number)) => i64::from(number).into(),
            value => value,
        });
        let insert = statement("INSERT INTO t VALUES (?, ?, ?, ?, ?)", values.collect());
        on.execute_raw(insert).await.expect("inserted");
        let select = || {
            let values = vec![id.into(), 9_u64.into(), "Grün".into(), true.into(), 5_i64.into()];
            statement("SELECT * FROM t WHERE c = ? AND a < ? AND b = ? AND d = ? AND a = ?", values)
        };
        let reader = InPlaceReader::new(file.url().file().expect("a file"));
        let in_place = reader.read(&select(), row).expect("in place").expect("a row");
        let driver = on.read_rows(select(), row).await.expect("a row");
        assert_eq!(in_place, [(5, Some("Grün".to_owned()), id, true, None)]);
        assert_eq!(in_place, driver);
        // Of another type.
        let wrong = |mut values: RowValues<'_>| values.take::<String>();
        assert!(reader.read(&select(), wrong).expect("in place").is_err());
        assert!(database.reader().read_rows(select(), wrong).await.is_err());
        reader.close();
        database.close().await.expect("closed");
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "no table is read")]
    async fn a_long_or_failed_read_is_left_to_the_driver_and_nothing_is_written() {
        let file = TemporaryFile::new("left");
        let database = Database::connect(&file.url()).await.expect("connected");
        let reader = InPlaceReader::new(file.url().file().expect("a file"));
        let number = |mut values: RowValues<'_>| values.take::<i64>();
        for sql in [
            "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000) \
             SELECT max(x) FROM n",
            "SELECT nothing",
            "CREATE TABLE t (x)",
        ] {
            assert!(reader.read(&statement(sql, Vec::new()), number).is_none(), "{sql}");
        }
        let long = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n \
                    WHERE x < 1000000) SELECT max(x) FROM n";
        let found = database.reader().read_rows(statement(long, Vec::new()), number).await;
        assert_eq!(found.expect("read by the driver"), [1_000_000]);
        // The limit is that of a statement, however many came before.
        for _ in 0..2_000 {
            let short = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n \
                         WHERE x < 100) SELECT max(x) FROM n";
            assert!(reader.read(&statement(short, Vec::new()), number).is_some());
        }
        reader.close();
        database.close().await.expect("closed");
    }
}
