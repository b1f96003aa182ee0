//! Whether the database of accounts is one this service can work with.

use std::time::Duration;

use sea_orm::DbErr;
use shared::{
    clock::Clock,
    db::{self, Database, DatabaseUrl},
    doctor::Report,
    error::causes,
};

use super::layout::{Layout, Schema};
use crate::migration::Migrator;

/// Looks at the database of accounts and leaves it as it is.
pub async fn examine(report: &mut Report, url: &DatabaseUrl, clock: &dyn Clock, leeway: Duration) {
    let found = db::examine::<Migrator>(report, url, clock, leeway).await;
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
        return Ok(()); // what is missing was told with the migrations
    }
    let schema = Schema::read(database).await?;
    match Layout::of(&schema) {
        Ok(layout) => {
            report.ok("layout", "the tables are in Better Auth's built-in layout");
            examine_accounts(layout, report);
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

/// Looks at what takes access away.
fn examine_accounts(layout: Layout, report: &mut Report) {
    for column in layout.restrictions.honoured() {
        report.ok("access", column);
    }
}
