//! The check of the accounts database by `doctor`.

use std::time::Duration;

use sea_orm::DbErr;
use server::{
    cli::doctor::{self, Report},
    db::{Database, DatabaseUrl},
};
use shared::{clock::Clock, error::causes};

use super::{
    layout::{Layout, Schema},
    mixed_case,
};
use crate::migration::Migrator;

/// Checks the accounts database without changing it.
pub async fn examine(report: &mut Report, url: &DatabaseUrl, clock: &dyn Clock, leeway: Duration) {
    let found = doctor::database::<Migrator>(report, url, clock, leeway).await;
    let Some(database) = found else {
        return;
    };
    if let Err(error) = examine_tables(&database, report).await {
        report.fault("tables", format!("cannot be looked at: {}", causes(&error)));
    }
    if let Err(error) = database.close().await {
        tracing::debug!(%error, "cannot close the database");
    }
}

async fn examine_tables(database: &Database, report: &mut Report) -> Result<(), DbErr> {
    if !database.has_table("user").await? {
        return Ok(()); // reported with the migrations
    }
    let schema = Schema::read(database).await?;
    match Layout::of(&schema) {
        Ok(layout) => {
            report.ok("layout", "the tables are in Better Auth's built-in layout");
            examine_accounts(database, layout, report).await?;
        }
        Err(error) => report.fault("layout", format!("a start is refused: {}", causes(&error))),
    }
    for column in schema.unhonoured() {
        report.warn(
            "access",
            format!(
                "`user`.`{column}` looks as if it took access away, and is not honoured: let \
                 `banned` say it"
            ),
        );
    }
    for index in schema.missing_indexes() {
        report.warn("indexes", format!("calls read whole tables: CREATE INDEX ON {index}"));
    }
    Ok(())
}

/// Checks restriction columns, and e-mails with capitals.
async fn examine_accounts(
    database: &Database,
    layout: Layout,
    report: &mut Report,
) -> Result<(), DbErr> {
    for column in layout.restrictions.honoured() {
        report.ok("access", column);
    }
    let ids = mixed_case::read(database).await?;
    let found = mixed_case::spellings(database, &ids).await?;
    if found.accounts > 0 {
        report.ok(
            "emails",
            format!(
                "{} accounts have capitals in their e-mail; they are found in any spelling",
                found.accounts
            ),
        );
    }
    if found.shared > 0 {
        report.warn(
            "emails",
            format!(
                "{} addresses have several accounts, whose e-mails differ in case alone: each signs \
                 in with its exact spelling; remove all but one, and write that in lower case",
                found.shared
            ),
        );
    }
    if found.is_partial {
        report.warn(
            "emails",
            "more e-mails have capitals than are kept in memory, and those beyond are found by their \
             exact spelling alone: write them in lower case",
        );
    }
    Ok(())
}
