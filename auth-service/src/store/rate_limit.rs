//! The rate limit counter that replicas share: table `attempt` on PostgreSQL, by its clock, as
//! those of the replicas may differ.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use super::Store;

/// An attempt to take: the key, and interval and slack of its limit in microseconds.
pub struct Wanted {
    pub key: String,
    pub interval: i64,
    pub slack: i64,
}

/// The result of attempts, by their places among those wanted.
#[derive(Default)]
pub struct Taken {
    /// The attempts taken: the times when all attempts of their keys have expired.
    pub due: Vec<(usize, DateTime<Utc>)>,
    /// The first key that has none left: the microseconds until its attempts have expired.
    pub refused: Option<(usize, i64)>,
}

/// An attempt to refund: the key, the interval of its limit, and the time that it left.
pub struct Refunded {
    pub key: String,
    pub interval: i64,
    pub due: DateTime<Utc>,
}

/// `Limit::check` of several keys in one atomic statement, up to the first that has no attempt
/// left, except that a time too far ahead is left to `REMOVE_EXPIRED`. Rows are locked in the
/// order of their keys, against deadlocks; a row that a concurrent call inserts meanwhile is
/// checked by the insert.
const TAKE: &str = r#", held AS MATERIALIZED (
        SELECT "key", "due" FROM "attempt" WHERE "key" IN (SELECT "key" FROM wanted)
        ORDER BY "key" FOR UPDATE
    ), checked AS MATERIALIZED (
        SELECT wanted.*, coalesce(extract(epoch FROM held."due" - clock_timestamp()) * 1000000, 0)
            ::bigint AS "ahead"
        FROM wanted LEFT JOIN held USING ("key")
    ), refused AS MATERIALIZED (
        SELECT "place", "ahead" FROM checked WHERE "ahead" > "slack" ORDER BY "place" LIMIT 1
    ), taken AS (
        INSERT INTO "attempt" AS held ("key", "due")
        SELECT "key", clock_timestamp() + "interval" * interval '1 microsecond' FROM checked
        WHERE NOT EXISTS (SELECT FROM refused WHERE refused."place" <= checked."place")
        ORDER BY "key"
        ON CONFLICT ("key") DO UPDATE
        SET "due" = GREATEST(excluded."due", held."due" + interval '1 microsecond' * (
            SELECT "interval" FROM wanted WHERE wanted."key" = excluded."key"))
        WHERE held."due" <= excluded."due" + interval '1 microsecond' * (
            SELECT "slack" - "interval" FROM wanted WHERE wanted."key" = excluded."key")
        RETURNING "key", "due"
    )
    SELECT "place", "due", NULL::bigint AS "ahead" FROM taken JOIN wanted USING ("key")
    UNION ALL SELECT "place", NULL, "ahead" FROM refused
    ORDER BY "place""#;

const REFUND: &str = r#", owed AS (
        SELECT "key", sum("interval")::bigint AS "interval" FROM refunded
        WHERE "due" > clock_timestamp() GROUP BY "key"
    ), held AS MATERIALIZED (
        SELECT "key" FROM "attempt" WHERE "key" IN (SELECT "key" FROM owed)
        ORDER BY "key" FOR UPDATE
    )
    UPDATE "attempt" SET "due" = "attempt"."due" - owed."interval" * interval '1 microsecond'
    FROM owed JOIN held USING ("key") WHERE "attempt"."key" = held."key""#;

const REMOVE_EXPIRED: &str = r#"
    DELETE FROM "attempt"
    WHERE "due" <= clock_timestamp()
       OR "due" > clock_timestamp() + $1 * interval '1 microsecond'"#;

impl Store {
    /// Whether replicas can share this database.
    pub fn is_shared(&self) -> bool {
        self.database.backend() == DbBackend::Postgres
    }

    /// Counts an attempt of each key in order, up to the first that has none left. No key may
    /// occur twice.
    pub async fn take_attempts(&self, wanted: &[Wanted]) -> Result<Taken, DbErr> {
        let rows = wanted.iter().zip(0_i64..).map(|(wanted, place)| {
            [wanted.key.as_str().into(), wanted.interval.into(), wanted.slack.into(), place.into()]
        });
        let types = ["text", "bigint", "bigint", "bigint"];
        let statement = with(r#"wanted ("key", "interval", "slack", "place")"#, types, rows, TAKE);
        let mut taken = Taken::default();
        for row in self.database.writer().query_all_raw(statement).await? {
            let place = usize::try_from(row.try_get::<i64>("", "place")?).unwrap_or_default();
            match row.try_get("", "due")? {
                Some(due) => taken.due.push((place, due)),
                None => taken.refused = Some((place, row.try_get("", "ahead")?)),
            }
        }
        // No row: a concurrent call inserted the key and took every attempt.
        if taken.refused.is_none() && taken.due.len() < wanted.len() {
            let missing = (0..)
                .zip(wanted)
                .find(|(place, _)| taken.due.iter().all(|(taken, _)| taken != place));
            taken.refused = missing.map(|(place, of)| (place, of.slack + of.interval));
        }
        Ok(taken)
    }

    /// Refunds the attempts that have not expired.
    pub async fn refund_attempts(&self, refunded: &[Refunded]) -> Result<(), DbErr> {
        let rows = refunded.iter().map(|refunded| {
            [refunded.key.as_str().into(), refunded.interval.into(), refunded.due.into()]
        });
        let types = ["text", "bigint", "timestamptz"];
        let statement = with(r#"refunded ("key", "interval", "due")"#, types, rows, REFUND);
        self.database.writer().execute_raw(statement).await.map(drop)
    }

    /// Removes expired keys, and those further ahead than `longest`, left by a clock that was set
    /// back.
    pub async fn remove_expired_attempts(&self, longest: Duration) -> Result<u64, DbErr> {
        let longest = i64::try_from(longest.as_micros()).unwrap_or(i64::MAX);
        let statement = raw(REMOVE_EXPIRED, [longest.into()]);
        let removed = self.database.writer().execute_raw(statement).await?;
        Ok(removed.rows_affected())
    }
}

/// `statement` after a table of these rows, whose values have these types.
fn with<const N: usize>(
    table: &str,
    types: [&str; N],
    rows: impl Iterator<Item = [Value; N]>,
    statement: &str,
) -> Statement {
    let mut values = Vec::new();
    let mut texts = Vec::new();
    for row in rows {
        let numbers = values.len() + 1..;
        let cells: Vec<_> =
            types.iter().zip(numbers).map(|(of, number)| format!("${number}::{of}")).collect();
        texts.push(format!("({})", cells.join(", ")));
        values.extend(row);
    }
    raw(format!("WITH {table} AS (VALUES {}){statement}", texts.join(", ")), values)
}

#[expect(clippy::disallowed_methods, reason = "attempts are counted before the user is known")]
fn raw(sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
