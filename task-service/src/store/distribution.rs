//! The distribution of the tables over the workers of Citus, an extension of PostgreSQL. Rows of one
//! user are in one shard, so a statement that names the user goes to one worker.

use sea_orm::DbErr;
use server::{cli::doctor::Report, db::Database};

use super::Tasks;
use crate::error::Error;

/// The tables whose rows belong to users.
const TABLES: [&str; 5] = ["task", "task_import", "task_reminder", "task_request", "task_revision"];

/// The distribution of the tables of a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Distribution {
    /// No table is distributed.
    #[default]
    Local,
    /// All tables of users are, with the rows of a user together.
    Colocated,
    /// All are, and the rows of a user are apart.
    Apart,
    /// Some are.
    Partial,
}

impl Distribution {
    /// That of `database` now.
    pub async fn read(database: &Database) -> Result<Self, DbErr> {
        let groups = database.distributed_tables().await?;
        Ok(Self::of(|table| groups.get(table).copied()))
    }

    /// The distribution of tables of which `group` has that of each distributed one.
    fn of(group: impl Fn(&str) -> Option<i64>) -> Self {
        let groups = TABLES.map(group);
        match groups.iter().flatten().count() {
            0 => Self::Local,
            count if count < TABLES.len() => Self::Partial,
            _ if groups.iter().all(|group| *group == groups[0]) => Self::Colocated,
            _ => Self::Apart,
        }
    }

    /// Adds it to the report of `doctor`, where there is any.
    pub fn examine(self, report: &mut Report) {
        const CHECK: &str = "citus";
        match self {
            Self::Local => {}
            Self::Colocated => {
                report.ok(CHECK, "the tables are distributed by user, and colocated");
            }
            Self::Apart => report.fault(
                CHECK,
                "the tables are distributed and not colocated: run deploy/citus/distribute.sql on \
                 tables that are not distributed yet",
            ),
            Self::Partial => report.fault(
                CHECK,
                "some tables of users are distributed and others are not: run \
                 deploy/citus/distribute.sql",
            ),
        }
    }
}

impl Tasks {
    /// The store for tables as they are distributed now. All statements are right whether tables
    /// are or not; it decides which ones are cheap.
    pub async fn seeing_distribution(self) -> Result<Self, Error> {
        let distribution = Distribution::read(&self.database).await?;
        if distribution != Distribution::Local {
            tracing::info!(?distribution, "tables are distributed by Citus");
        }
        Ok(Self { is_distributed: distribution != Distribution::Local, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tables_are_distributed_together_or_doctor_says_so() {
        let partial = |table: &str| (table != "task_request").then_some(4);
        let apart = |table: &str| Some(if table == "task_import" { 5 } else { 4 });
        assert_eq!(Distribution::of(|_| None), Distribution::Local);
        assert_eq!(Distribution::of(|_| Some(4)), Distribution::Colocated);
        assert_eq!(Distribution::of(partial), Distribution::Partial);
        assert_eq!(Distribution::of(apart), Distribution::Apart);
        let verdicts = [Distribution::Colocated, Distribution::Apart, Distribution::Partial];
        let mut report = Report::default();
        for one in verdicts {
            one.examine(&mut report);
        }
        assert_eq!(report.verdict().map_err(|faults| faults.to_string()), Err("2 faults".into()));
        let mut silent = Report::default();
        Distribution::Local.examine(&mut silent);
        assert!(silent.findings().is_empty());
    }
}
