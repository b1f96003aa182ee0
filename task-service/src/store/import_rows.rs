//! The rows of an import, as they are stored: each unless it is there already.

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

/// A row that is ready but for the number of its change, and when it reminds.
#[derive(Serialize, Deserialize)]
pub struct Held {
    pub row: Model,
    pub reminders: Vec<i64>,
}

/// What is known when all rows have come.
pub struct Plan {
    /// The places in series that are taken by what came.
    pub occurrences: HashSet<(Uuid, i64)>,
    /// Which place in the order each row has, in the order in which they came.
    pub order: Vec<u32>,
}

/// Rows on their way into the database, in runs.
pub struct Runs {
    held: Rows<Held>,
    occurrences: HashSet<(Uuid, i64)>,
    order: VecDeque<u32>,
    /// The number of their change.
    pub revision: i64,
}

impl Runs {
    /// Those of `held`, as the change with this number.
    pub fn new(held: Rows<Held>, plan: Plan, revision: i64) -> Self {
        Self { held, occurrences: plan.occurrences, order: plan.order.into(), revision }
    }

    /// The next run, empty at the end.
    pub async fn next(&mut self) -> Result<Vec<Held>, Error> {
        let mut rows = self.held.next(ROWS).await?;
        for held in &mut rows {
            held.row.revision = self.revision;
            let place = self.order.pop_front().map_or(0, |place| place as usize);
            held.row.position = Position::at_end(self.revision, place).to_string();
            follow(&mut held.row, &self.occurrences)?;
        }
        Ok(rows)
    }
}

/// Notes that a task has been followed, if the one after it came as well.
fn follow(row: &mut Model, occurrences: &HashSet<(Uuid, i64)>) -> Result<(), Error> {
    let next = row.series_id.zip(row.occurrence.and_then(|number| number.checked_add(1)));
    if next.is_some_and(|next| occurrences.contains(&next)) {
        let details = Details::read(row.details.as_deref()).map_err(std::io::Error::from)?;
        row.details = Details { continued: true, ..details }.write();
    }
    Ok(())
}

impl Tasks {
    /// Stores what is not there, all of it or nothing, and tells how much that was. It goes on
    /// to its end when nobody waits for it any more.
    pub(super) async fn store_import(
        &self,
        owner: Owner,
        held: Rows<Held>,
        plan: Plan,
    ) -> Result<u64, Error> {
        if !self.database.backend().locks_rows() {
            return import_chunks::store(self.clone(), owner, held, plan).await;
        }
        let change = Change::begin(self, &owner).await?;
        let stored = store_at_once(&change, &owner, held, plan).await;
        let outcome = stored.map(|stored| match stored {
            0 => Outcome::Unchanged(0),
            stored => Outcome::Changed(stored),
        });
        change.end(outcome).await
    }
}

/// In one transaction, for which other writers do not wait.
async fn store_at_once(
    change: &Change,
    owner: &Owner,
    held: Rows<Held>,
    plan: Plan,
) -> Result<u64, Error> {
    let mut runs = Runs::new(held, plan, change.revision);
    let mut stored = 0;
    let mut rows = runs.next().await?;
    while !rows.is_empty() {
        // The user's other changes wait for as long as this takes: the next rows are read
        // meanwhile.
        let insert = insert_all(&change.transaction, owner, change.revision, &rows);
        let (usage, next) = tokio::join!(insert, runs.next());
        let usage = usage?;
        change.grow(usage)?;
        stored += usage.tasks.unsigned_abs();
        rows = next?;
    }
    Ok(stored)
}

/// Stores these rows but for those that are there, and tells what they take.
pub async fn insert_all(
    on: &Transaction,
    owner: &Owner,
    revision: i64,
    rows: &[Held],
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
    run: &[Held],
) -> Result<Usage, Error> {
    let rows = run.iter().map(|held| ActiveModel::from(held.row.clone()).reset_all()).collect();
    let insert = owned_insert_many(owner, rows).on_conflict(if_new());
    let stored = insert.exec_without_returning(on).await?;
    let mut new: Vec<_> = run.iter().collect();
    if stored < run.len() as u64 {
        let ids = new.iter().map(|held| held.row.id);
        let found = with_unfinished::<Entity>(owner)
            .filter(Column::Id.is_in(ids))
            .filter(Column::Revision.eq(revision))
            .select_only()
            .column(Column::Id)
            .into_tuple::<Uuid>();
        let found: HashSet<_> = found.all(on).await?.into_iter().collect();
        new.retain(|held| found.contains(&held.row.id));
    }
    let reminders = new
        .iter()
        .flat_map(|held| held.reminders.iter().map(|fires_at| reminds(held.row.id, *fires_at)));
    insert_reminders(on, owner, &reminders.collect::<Vec<_>>()).await?;
    let usage = |held: &&Held| {
        usage_of(&held.row.title, &held.row.description, held.row.details.as_deref())
    };
    Ok(new.iter().map(usage).fold(Usage::default(), Usage::and))
}
