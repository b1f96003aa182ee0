//! The rows of an import, and their insert unless they exist.

use std::collections::{HashSet, VecDeque};

use sea_orm::{ActiveModelTrait, ColumnTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};
use server::db::Transaction;
use shared::auth::Owner;
use uuid::Uuid;

use super::{
    Tasks,
    change::{Change, Outcome},
    details::Details,
    dialect::Dialect,
    import_chunks,
    owned::{owned_insert_many, with_unfinished},
    row::usage_of,
    spool::Rows,
    write::{ROWS, if_new, insert_reminders, reminds, runs},
};
use crate::{
    domain::{quota::Usage, task::Position},
    entity::task::{ActiveModel, Column, Entity, Model},
    error::Error,
};

/// A staged row, complete but for its change number, with the times of its reminders.
#[derive(Serialize, Deserialize)]
pub struct StagedRow {
    pub row: Model,
    pub reminders: Vec<i64>,
}

/// The facts that are known when all rows are received.
pub struct Plan {
    /// The occurrences of series received.
    pub occurrences: HashSet<(Uuid, i64)>,
    /// The rank of each row in the order, as received.
    pub order: Vec<u32>,
}

/// The staged rows on their way into the database, in runs.
pub struct Runs {
    staged: Rows<StagedRow>,
    occurrences: HashSet<(Uuid, i64)>,
    order: VecDeque<u32>,
    /// The change number.
    pub revision: i64,
}

impl Runs {
    /// The runs of `staged`, as the change with this number.
    pub fn new(staged: Rows<StagedRow>, plan: Plan, revision: i64) -> Self {
        Self { staged, occurrences: plan.occurrences, order: plan.order.into(), revision }
    }

    /// The next run, empty at the end.
    pub async fn next(&mut self) -> Result<Vec<StagedRow>, Error> {
        let mut rows = self.staged.next(ROWS).await?;
        for staged in &mut rows {
            staged.row.revision = self.revision;
            let rank = self.order.pop_front().map_or(0, |rank| rank as usize);
            staged.row.position = Position::at_end(self.revision, rank).to_string();
            follow(&mut staged.row, &self.occurrences)?;
        }
        Ok(rows)
    }
}

/// Marks a task as followed by its next if that was received as well.
fn follow(row: &mut Model, occurrences: &HashSet<(Uuid, i64)>) -> Result<(), Error> {
    let next = row.series_id.zip(row.occurrence.and_then(|number| number.checked_add(1)));
    if next.is_some_and(|next| occurrences.contains(&next)) {
        let details = Details::read(row.details.as_deref()).map_err(std::io::Error::from)?;
        row.details = Details { continued: true, ..details }.write();
    }
    Ok(())
}

impl Tasks {
    /// Stores the rows that do not exist, all or none, and returns their number. On SQLite it
    /// completes even if the caller is gone.
    pub(super) async fn store_import(
        &self,
        owner: Owner,
        staged: Rows<StagedRow>,
        plan: Plan,
    ) -> Result<u64, Error> {
        if !self.database.backend().locks_rows() {
            return import_chunks::store(self.clone(), owner, staged, plan).await;
        }
        let change = Change::begin(self, &owner).await?;
        let stored = store_in_one_transaction(&change, &owner, staged, plan).await;
        let outcome = stored.map(|stored| match stored {
            0 => Outcome::Unchanged(0),
            stored => Outcome::Changed(stored),
        });
        change.end(outcome).await
    }
}

/// Stores all rows in one transaction, for databases with row locks.
async fn store_in_one_transaction(
    change: &Change,
    owner: &Owner,
    staged: Rows<StagedRow>,
    plan: Plan,
) -> Result<u64, Error> {
    let mut runs = Runs::new(staged, plan, change.revision);
    let mut stored = 0;
    let mut rows = runs.next().await?;
    while !rows.is_empty() {
        // The next rows are read meanwhile, as the user's changes wait for this transaction.
        let insert = insert_all(&change.transaction, owner, change.revision, &rows);
        let (usage, next) = tokio::join!(insert, runs.next());
        let usage = usage?;
        change.grow(usage)?;
        stored += usage.tasks.unsigned_abs();
        rows = next?;
    }
    Ok(stored)
}

/// Inserts the rows that do not exist, and returns their usage.
pub async fn insert_all(
    on: &Transaction,
    owner: &Owner,
    revision: i64,
    rows: &[StagedRow],
) -> Result<Usage, Error> {
    let mut usage = Usage::default();
    for run in runs(rows) {
        usage = usage.and(insert(on, owner, revision, run).await?);
    }
    Ok(usage)
}

async fn insert(
    on: &Transaction,
    owner: &Owner,
    revision: i64,
    run: &[StagedRow],
) -> Result<Usage, Error> {
    let rows = run.iter().map(|staged| ActiveModel::from(staged.row.clone()).reset_all()).collect();
    let insert = owned_insert_many(owner, rows).on_conflict(if_new());
    let stored = insert.exec_without_returning(on).await?;
    let mut new: Vec<_> = run.iter().collect();
    if stored < run.len() as u64 {
        let ids = new.iter().map(|staged| staged.row.id);
        let found = with_unfinished::<Entity>(owner)
            .filter(Column::Id.is_in(ids))
            .filter(Column::Revision.eq(revision))
            .select_only()
            .column(Column::Id)
            .into_tuple::<Uuid>();
        let found: HashSet<_> = found.all(on).await?.into_iter().collect();
        new.retain(|staged| found.contains(&staged.row.id));
    }
    let reminders = new.iter().flat_map(|staged| {
        staged.reminders.iter().map(|fires_at| reminds(staged.row.id, *fires_at))
    });
    insert_reminders(on, owner, &reminders.collect::<Vec<_>>()).await?;
    let usage = |staged: &&StagedRow| {
        usage_of(&staged.row.title, &staged.row.description, staged.row.details.as_deref())
    };
    Ok(new.iter().map(usage).fold(Usage::default(), Usage::and))
}
