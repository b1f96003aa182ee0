//! The rate limit counter that replicas share: table `attempt` on PostgreSQL, by its clock, as
//! those of the replicas may differ.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use super::Store;

/// The result of an attempt: taken, with the time when all attempts of the key have expired; or
/// not, with the microseconds until then.
pub enum Taken {
    Yes { due: DateTime<Utc> },
    No { ahead: i64 },
}

/// `Limit::check` in one atomic statement, except that a time too far ahead is left to
/// `REMOVE_EXPIRED`. The second part returns the time that refused the attempt.
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

const REFUND: &str = r#"
    UPDATE "attempt" SET "due" = "due" - $2 * interval '1 microsecond'
    WHERE "key" = $1 AND $3 > clock_timestamp()"#;

const REMOVE_EXPIRED: &str = r#"
    DELETE FROM "attempt"
    WHERE "due" <= clock_timestamp()
       OR "due" > clock_timestamp() + $1 * interval '1 microsecond'"#;

impl Store {
    /// Whether replicas can share this database.
    pub fn is_shared(&self) -> bool {
        self.database.backend() == DbBackend::Postgres
    }

    /// Counts an attempt of `key`, if one is left: `interval` and `slack` are those of the limit.
    pub async fn take_attempt(&self, key: &str, interval: i64, slack: i64) -> Result<Taken, DbErr> {
        let values = [key.into(), interval.into(), slack.into()];
        let row = self.database.writer().query_one_raw(raw(TAKE, values)).await?;
        // No row: a concurrent call inserted the key and took every attempt.
        let Some(row) = row else { return Ok(Taken::No { ahead: slack + interval }) };
        Ok(match row.try_get("", "due")? {
            Some(due) => Taken::Yes { due },
            None => Taken::No { ahead: row.try_get("", "ahead")? },
        })
    }

    /// Refunds the attempt that left `key` at `taken`, unless it has expired.
    pub async fn refund_attempt(
        &self,
        key: &str,
        interval: i64,
        taken: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let values = [key.into(), interval.into(), taken.into()];
        self.database.writer().execute_raw(raw(REFUND, values)).await.map(drop)
    }

    /// Removes expired keys, and those further ahead than `longest`, left by a clock that was set
    /// back.
    pub async fn remove_expired_attempts(&self, longest: Duration) -> Result<u64, DbErr> {
        let longest = i64::try_from(longest.as_micros()).unwrap_or(i64::MAX);
        let removed =
            self.database.writer().execute_raw(raw(REMOVE_EXPIRED, [longest.into()])).await?;
        Ok(removed.rows_affected())
    }
}

#[expect(clippy::disallowed_methods, reason = "attempts are counted before the user is known")]
fn raw<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
