//! Numeric ids that are never reused.
//!
//! Better Auth's numeric ids on SQLite are plain row ids: remove the newest row, and the next one
//! gets its number. A new user must not be taken for a removed one, whose tasks may still exist,
//! so the largest number is kept in a table of this service.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::layout::{IdKind, Layout};

/// The next number of `table`: larger than all that exist or existed.
pub(super) async fn next(on: &impl ConnectionTrait, table: &str) -> Result<i64, DbErr> {
    upsert(on, table, 1).await?.ok_or(DbErr::RecordNotInserted)
}

/// Records the largest numbers of users and sessions: at start, and before one is removed.
pub(super) async fn record(on: &impl ConnectionTrait, layout: Layout) -> Result<(), DbErr> {
    if on.get_database_backend() == DbBackend::Sqlite {
        for (kind, table) in [(layout.user, "user"), (layout.session, "session")] {
            if kind == IdKind::Serial {
                upsert(on, table, 0).await?;
            }
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "it reads and writes numbers alone")]
async fn upsert(on: &impl ConnectionTrait, table: &str, step: i64) -> Result<Option<i64>, DbErr> {
    let sql = format!(
        r#"INSERT INTO "largest_id" ("table_name", "id")
           SELECT '{table}', coalesce(max("id"), 0) + {step} FROM "{table}" WHERE true
           ON CONFLICT ("table_name")
           DO UPDATE SET "id" = max("largest_id"."id" + {step}, excluded."id")
           RETURNING "id""#
    );
    let statement = Statement::from_string(on.get_database_backend(), sql);
    let row = on.query_one_raw(statement).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}
