//! Moments as the databases keep them.

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{DbBackend, Value};

/// `moment` as a value for this database. PostgreSQL has a type for it. On SQLite moments
/// are compared as text, so it is always the same form: ISO 8601 with milliseconds and `Z`.
#[must_use]
pub fn timestamp_value(backend: DbBackend, moment: DateTime<Utc>) -> Value {
    let moment = moment.trunc_subsecs(3);
    match backend {
        DbBackend::Postgres => moment.into(),
        _ => moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into(),
    }
}
