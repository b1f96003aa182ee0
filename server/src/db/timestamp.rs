//! Timestamps as the databases store them.

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{DbBackend, Value};

/// `time` as a value for this database. PostgreSQL has a type for timestamps. SQLite compares
/// them as text, so they have one form: ISO 8601 with milliseconds and `Z`.
#[must_use]
pub fn timestamp_value(backend: DbBackend, time: DateTime<Utc>) -> Value {
    let time = time.trunc_subsecs(3);
    match backend {
        DbBackend::Postgres => time.into(),
        _ => time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into(),
    }
}
