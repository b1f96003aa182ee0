//! The check of a service's database.

use std::time::Duration;

use chrono::TimeDelta;
use shared::{clock::Clock, error::causes};

use super::{Report, clock_drift, disk_space, file_access};
use crate::db::{Database, DatabaseUrl, Migrations, MigratorTrait, WAL_TOO_LONG};

/// Checks the database at `url` without changing it, and returns it for further checks where it
/// is reachable.
pub async fn database<M: MigratorTrait>(
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
        disk_space(report, file, url.min_free());
        file_access(report, file, "e-mails, password hashes or tasks");
    }
    write_ahead_log(report, url);
    if let Err(away) = url.check_reachable().await {
        if !away.is_read_only() {
            report.fault("database", format!("cannot be reached, see DATABASE_URL: {away}"));
            return None;
        }
        report.fault("database", format!("nothing can be written: {away}"));
    }
    let database = match Database::connect_read_only(url).await {
        Ok(database) => database,
        Err(error) => {
            let why = causes(&error);
            report.fault("database", format!("cannot be reached, see DATABASE_URL: {why}"));
            return None;
        }
    };
    let before = clock.now();
    match database.time().await {
        Ok(Some(server_time)) => {
            let local_times = [before, clock.now()];
            clock_drift(
                report,
                "the database",
                local_times,
                server_time,
                TimeDelta::zero(),
                leeway,
            );
        }
        Ok(None) => {}
        Err(error) => {
            report.fault("database", format!("does not answer: {}", causes(&error)));
            return None;
        }
    }
    if let Ok(Some(hop)) = database.hop(&database.location()).await {
        report.hop(&hop);
    }
    if database.is_pooled() {
        report
            .ok("pooler", "one is in front: every statement is in a transaction, as its mode asks");
    }
    if let Ok(Some(journal)) = database.journal_mode().await
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

/// Reports the size of SQLite's write-ahead log.
fn write_ahead_log(report: &mut Report, url: &DatabaseUrl) {
    let (bytes, mib) = (url.wal_bytes(), url.wal_bytes() >> 20);
    if bytes > WAL_TOO_LONG {
        report.warn(
            "journal",
            format!(
                "the write-ahead log has {mib} MiB: something reads without an end, perhaps a \
                 program of yours that has the file open"
            ),
        );
    } else if url.file().is_some() {
        report.ok("journal", format!("the write-ahead log has {mib} MiB"));
    }
}

/// Reports the state of the migrations.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::doctor::Verdict, db::temporary_file::TemporaryFile};

    #[test]
    fn a_log_that_no_checkpoint_truncates_is_a_warning() {
        let file = TemporaryFile::new("long-journal");
        let url = file.url();
        let log = std::fs::File::create(file.folder.join("test.db-wal")).expect("a file");
        for (size, verdict) in [(WAL_TOO_LONG, Verdict::Ok), (WAL_TOO_LONG + 1, Verdict::Warn)] {
            // A sparse file.
            log.set_len(size).expect("a length");
            let mut report = Report::default();
            write_ahead_log(&mut report, &url);
            assert_eq!(report.findings()[0].verdict, verdict, "{size}");
        }
    }
}
