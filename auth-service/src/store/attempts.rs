//! Attempts counted by all replicas together, on PostgreSQL, by its clock: the replicas'
//! own may differ.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use super::Store;
use crate::attempts::{Key, Limit};

/// What became of an attempt: taken or not, and the moment when all of the key's will be
/// forgotten.
pub enum Taken {
    Yes { due: DateTime<Utc> },
    No { ahead: i64 },
}

/// One statement, so that nobody comes in between: as `Limit::judge` has it, but that a
/// moment too far ahead is left to the sweep. The second part tells why there was nothing
/// to take.
const TAKE: &str = r#"
    WITH taken AS (
        INSERT INTO "attempt" AS held ("key", "due")
        VALUES ($1, clock_timestamp() + $2 * interval '1 microsecond')
        ON CONFLICT ("key") DO UPDATE
        SET "due" = GREATEST(held."due" + $2 * interval '1 microsecond', excluded."due")
        WHERE held."due" <= excluded."due" + ($3 - $2) * interval '1 microsecond'
        RETURNING "due"
    )
    SELECT "due", 0::bigint AS "ahead" FROM taken
    UNION ALL
    SELECT NULL, (extract(epoch FROM "due" - clock_timestamp()) * 1000000)::bigint
    FROM "attempt" WHERE "key" = $1 AND NOT EXISTS (SELECT FROM taken)"#;

const GIVE_BACK: &str = r#"
    UPDATE "attempt" SET "due" = "due" - $2 * interval '1 microsecond'
    WHERE "key" = $1 AND $3 > clock_timestamp()"#;

const SWEEP: &str = r#"
    DELETE FROM "attempt"
    WHERE "due" <= clock_timestamp()
       OR "due" > clock_timestamp() + $1 * interval '1 microsecond'"#;

impl Store {
    /// Whether replicas share this database, so that attempts are counted in it.
    pub fn is_shared(&self) -> bool {
        self.database.backend() == DbBackend::Postgres
    }

    /// Counts an attempt, if one is left.
    pub async fn take_attempt(&self, key: Key, limit: Limit) -> Result<Taken, DbErr> {
        let values = [key.to_string().into(), limit.interval().into(), limit.slack().into()];
        let row = self.database.writer().query_one_raw(raw(TAKE, values)).await?;
        // No row at all: another one was the first at this very moment, and has taken all
        // there was.
        let Some(row) = row else { return Ok(Taken::No { ahead: limit.full() }) };
        Ok(match row.try_get("", "due")? {
            Some(due) => Taken::Yes { due },
            None => Taken::No { ahead: row.try_get("", "ahead")? },
        })
    }

    /// Takes an attempt back that left its key at `taken`, unless time has done so.
    pub async fn give_attempt_back(
        &self,
        key: Key,
        limit: Limit,
        taken: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let values = [key.to_string().into(), limit.interval().into(), taken.into()];
        self.database.writer().execute_raw(raw(GIVE_BACK, values)).await.map(drop)
    }

    /// Removes what is forgotten, and what lies further ahead than `longest`, which a clock
    /// that was set back has left.
    pub async fn sweep_attempts(&self, longest: Duration) -> Result<u64, DbErr> {
        let longest = i64::try_from(longest.as_micros()).unwrap_or(i64::MAX);
        let swept = self.database.writer().execute_raw(raw(SWEEP, [longest.into()])).await?;
        Ok(swept.rows_affected())
    }
}

#[expect(clippy::disallowed_methods, reason = "attempts are counted before anybody is known")]
fn raw<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
