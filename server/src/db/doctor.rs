//! Whether a service can work with its database.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm_migration::MigratorTrait;
use shared::{clock::Clock, error::causes};

use super::{Database, DatabaseUrl, Migrations, journal};
use crate::cli::doctor::{Report, drift, private, space};

/// Looks at the database at `url` and leaves it as it is. Gives it back where it answers, so
/// that more can be asked.
pub async fn examine<M: MigratorTrait>(
    report: &mut Report,
    url: &DatabaseUrl,
    clock: &dyn Clock,
    leeway: Duration,
) -> Option<Database> {
    if let Some(file) = url.file() {
        if !file.exists() {
            report.warn(
                "database",
                format!("{} is not there yet: the first start makes it", file.display()),
            );
            return None;
        }
        space(report, file, url.min_free());
        private(report, file, "e-mails, password hashes or tasks");
    }
    journal::examine(report, url);
    if let Err(away) = url.reach().await {
        if !away.is_read_only() {
            report.fault("database", format!("cannot be reached, see DATABASE_URL: {away}"));
            return None;
        }
        report.fault("database", format!("nothing can be written: {away}"));
    }
    let database = match Database::look_at(url).await {
        Ok(database) => database,
        Err(error) => {
            let why = causes(&error);
            report.fault("database", format!("cannot be reached, see DATABASE_URL: {why}"));
            return None;
        }
    };
    let before = clock.now();
    match database.time().await {
        Ok(Some(theirs)) => {
            let ours = [before, clock.now()];
            drift(report, "the database", ours, theirs, TimeDelta::zero(), leeway);
        }
        Ok(None) => {}
        Err(error) => {
            report.fault("database", format!("does not answer: {}", causes(&error)));
            return None;
        }
    }
    if let Ok(Some(journal)) = database.journal().await
        && journal != "wal"
    {
        report.warn(
            "database",
            format!("SQLite's journal is `{journal}`: the next start of the service sets `wal`"),
        );
    }
    match database.migrations::<M>().await {
        Ok(found) => migrations(report, &found),
        Err(error) => report.fault("tables", format!("cannot be looked at: {}", causes(&error))),
    }
    Some(database)
}

/// Notes whether the tables are as this program knows them.
fn migrations(report: &mut Report, found: &Migrations) {
    let Migrations { applied, pending, unknown } = found;
    if !unknown.is_empty() {
        report.warn(
            "tables",
            format!("a newer version was here: this one does not know {}", unknown.join(", ")),
        );
    }
    if pending.is_empty() {
        report.ok("tables", format!("migrations applied: {applied}, missing: 0"));
    } else {
        let missing = pending.join(", ");
        report.warn("tables", format!("the next start of the service applies {missing}"));
    }
}
