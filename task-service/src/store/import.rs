//! Imports: what comes is looked at one by one and held back, and stored in one change when
//! all of it is sound.

use std::collections::HashSet;

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, DbBackend, QueryFilter, QuerySelect, TryIntoModel,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};
use shared::{
    auth::Owner,
    fields::{MAX_TOLD, Violation, Violations},
};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::{
    Tasks,
    change::{Change, Outcome},
    details::Details,
    owned::{owned, owned_insert_many},
    row::whole,
    spool::{Rows, SPREAD, Spool},
    turns::Turn,
    write::{ROWS, if_new, insert_reminders, pending, reminds, runs},
};
use crate::{
    entity::task::{ActiveModel, Column, Entity, Model},
    error::Error,
    import::{Fault, Imported, MAX_BYTES, MAX_TASKS, Report},
    moment::Moment,
    task::Position,
};

/// A row that is ready but for the number of its change, and when it reminds.
#[derive(Serialize, Deserialize)]
struct Held {
    row: Model,
    reminders: Vec<i64>,
}

/// An import in progress. Dropped before it is finished, it leaves nothing behind.
pub struct Import {
    tasks: Tasks,
    owner: Owner,
    now: Moment,
    report: Report,
    held: Spool<Held>,
    /// The ids that came.
    ids: HashSet<Uuid>,
    /// The places in series that are taken by what came.
    occurrences: HashSet<(Uuid, i64)>,
    /// Where what came stood, if anywhere.
    stood: Vec<Option<Box<str>>>,
    /// Over when the import is.
    turn: (Turn, OwnedSemaphorePermit),
}

impl Tasks {
    /// Begins an import for `owner`, who has one at a time; a dry run only tells what it
    /// would do.
    pub fn import(&self, owner: Owner, dry_run: bool) -> Result<Import, Error> {
        let turn = self.turns.import(owner.user().as_str()).ok_or(Error::TooManyImports)?;
        Ok(Import {
            turn,
            tasks: self.clone(),
            owner,
            now: self.now(),
            report: Report { dry_run, ..Report::default() },
            held: Spool::new(MAX_BYTES)?,
            ids: HashSet::new(),
            occurrences: HashSet::new(),
            stood: Vec::new(),
        })
    }
}

impl Import {
    /// Takes the task at this place, or what is wrong with it. Fails where it is one too
    /// many.
    pub async fn take(
        &mut self,
        line: u64,
        given: Result<Imported, Vec<(String, String)>>,
    ) -> Result<(), Error> {
        self.report.received += 1;
        if self.report.received > MAX_TASKS {
            let rule = format!("must be at most {MAX_TASKS} at a time");
            return Err(Violations::one("tasks", rule).into());
        }
        let faults = match given.map(|task| self.hold(task)) {
            Ok(Ok(held)) => return self.keep(held).await,
            Ok(Err(fault)) => vec![fault],
            Err(faults) => faults,
        };
        let fault = |(field, message)| Fault { line, field, message };
        self.report.refuse(faults.into_iter().map(fault));
        Ok(())
    }

    /// The row of a task that is not there twice.
    fn hold(&mut self, task: Imported) -> Result<Held, (String, String)> {
        let twice = |field: &str| (field.to_owned(), "must not come twice".to_owned());
        let stood = task.position.as_ref().map(|position| position.as_str().into());
        let task = task.into_task(self.owner.user().as_str(), self.now);
        if !self.ids.insert(task.id) {
            return Err(twice("id"));
        }
        if let Some(series) = task.series
            && !self.occurrences.insert((series.id, series.occurrence))
        {
            return Err(twice("occurrence"));
        }
        self.stood.push(stood);
        let reminders = pending(&task, self.now);
        let reminders = reminders.into_iter().filter_map(|mut row| row.fires_at.take()).collect();
        let user_id = Set(task.user_id.clone());
        let row = ActiveModel { user_id, ..whole(&task) };
        let row = row.try_into_model().map_err(|_| ("task".to_owned(), "is faulty".to_owned()))?;
        Ok(Held { row, reminders })
    }

    async fn keep(&mut self, held: Held) -> Result<(), Error> {
        // Nothing is stored any more if something is faulty.
        if self.report.faulty == 0 && !self.held.write(&held).await? {
            let most = SPREAD * MAX_BYTES;
            let rule = format!("must take at most {most} bytes while they are held back");
            return Err(Violations::one("tasks", rule).into());
        }
        Ok(())
    }

    /// Stores all that came, if all of it is sound and it is no dry run.
    pub async fn finish(self) -> Result<Report, Error> {
        let Self { tasks, owner, mut report, held, occurrences, stood, turn, .. } = self;
        if report.faulty > 0 {
            return if report.dry_run { Ok(report) } else { Err(refusal(&report)) };
        }
        let held = held.read().await?;
        if report.dry_run {
            report.skipped = tasks.count_known(&owner, held).await?;
            report.imported = report.received - report.skipped;
            return Ok(report);
        }
        let permit = tasks.turns.store().await?;
        report.imported = tasks.store_held(&owner, held, &occurrences, &order(&stood)).await?;
        drop((permit, turn));
        if tasks.is_indexed_later() {
            // To its end, also where nobody waits for the answer any more.
            let indexing = tokio::spawn(async move { tasks.index_older().await });
            indexing.await.map_err(std::io::Error::other)??;
        }
        report.skipped = report.received - report.imported;
        Ok(report)
    }
}

impl Tasks {
    /// Stores what is not there in one change, and tells how much that was.
    async fn store_held(
        &self,
        owner: &Owner,
        held: Rows<Held>,
        occurrences: &HashSet<(Uuid, i64)>,
        order: &[u32],
    ) -> Result<u64, Error> {
        let change = Change::begin(self, owner).await?;
        let indexed = !self.is_indexed_later();
        let stored = store(&change, owner, held, (occurrences, order), indexed).await;
        let outcome = stored.map(|stored| match stored {
            0 => Outcome::Unchanged(0),
            stored => Outcome::Changed(stored),
        });
        change.end(outcome).await
    }

    /// Whether what was imported is put into the full-text index in transactions of their
    /// own, before the answer. SQLite's one writer keeps everybody waiting while it stores,
    /// and the index is half of that work.
    fn is_indexed_later(&self) -> bool {
        self.database.backend() == DbBackend::Sqlite
    }

    /// How many of these rows would not be stored.
    async fn count_known(&self, owner: &Owner, mut held: Rows<Held>) -> Result<u64, Error> {
        let mut known = 0;
        loop {
            let mut rows = held.next(ROWS).await?;
            let Some(last) = rows.last() else { return Ok(known) };
            let (id, count) = (last.row.id, rows.len());
            let ids = rows.iter().map(|held| held.row.id);
            let asked: Vec<_> = ids.chain(std::iter::repeat(id)).take(ROWS).collect();
            let place = |held: &Held| held.row.series_id.zip(held.row.occurrence);
            let mut places: Vec<_> = rows.iter().filter_map(place).collect();
            let mut condition = Column::Id.is_in(asked);
            if let Some(last) = places.last().copied() {
                places.resize(places.len().next_power_of_two(), last);
                let columns = Expr::tuple(
                    [Column::SeriesId, Column::Occurrence].map(|c| Expr::col((Entity, c))),
                );
                let places = places
                    .into_iter()
                    .map(|(id, number)| Expr::tuple([Expr::val(id), Expr::val(number)]));
                condition = condition.or(columns.is_in(places));
            }
            let there: Vec<(Uuid, Option<Uuid>, Option<i64>)> = owned::<Entity>(owner)
                .filter(condition)
                .select_only()
                .columns([Column::Id, Column::SeriesId, Column::Occurrence])
                .into_tuple()
                .all(self.database.reader())
                .await?;
            let ids: HashSet<_> = there.iter().map(|(id, ..)| *id).collect();
            let places: HashSet<_> =
                there.iter().filter_map(|(_, series, number)| series.zip(*number)).collect();
            let is_new = |held: &Held| {
                !ids.contains(&held.row.id) && !place(held).is_some_and(|p| places.contains(&p))
            };
            rows.retain(is_new);
            known += (count - rows.len()) as u64;
        }
    }
}

/// Which place each of those has that stood there: as they stood among themselves, and then
/// those that stood nowhere. They come behind all that is there, as what is new does; their
/// positions were those of another account.
fn order(stood: &[Option<Box<str>>]) -> Vec<u32> {
    let mut sorted: Vec<_> = (0_u32..).zip(stood).collect();
    sorted.sort_by_key(|(_, position)| (position.is_none(), *position));
    let mut places = vec![0; sorted.len()];
    for (place, (index, _)) in (0_u32..).zip(sorted) {
        if let Some(of) = places.get_mut(index as usize) {
            *of = place;
        }
    }
    places
}

/// Stores what is not there, and tells how much that was.
async fn store(
    change: &Change,
    owner: &Owner,
    mut held: Rows<Held>,
    (occurrences, order): (&HashSet<(Uuid, i64)>, &[u32]),
    indexed: bool,
) -> Result<u64, Error> {
    let mut stored = 0;
    let mut order = order.iter();
    let mut rows = held.next(ROWS).await?;
    while !rows.is_empty() {
        for held in &mut rows {
            held.row.revision = change.revision;
            if !indexed {
                held.row.words = None;
            }
            let place = order.next().map_or(0, |place| *place as usize);
            held.row.position = Position::at_end(change.revision, place).to_string();
            follow(&mut held.row, occurrences)?;
        }
        // Others wait for as long as this takes: the next rows are read meanwhile.
        let (count, next) = tokio::join!(insert_all(change, owner, &rows), held.next(ROWS));
        stored += count?;
        rows = next?;
    }
    Ok(stored)
}

async fn insert_all(change: &Change, owner: &Owner, rows: &[Held]) -> Result<u64, Error> {
    let mut stored = 0;
    for run in runs(rows) {
        stored += insert(change, owner, run).await?;
    }
    Ok(stored)
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

/// Stores a run of rows but for those that are there, and tells how many that were.
async fn insert(change: &Change, owner: &Owner, run: &[Held]) -> Result<u64, Error> {
    let rows = run.iter().map(|held| ActiveModel::from(held.row.clone()).reset_all()).collect();
    let insert = owned_insert_many(owner, rows).on_conflict(if_new());
    let stored = insert.exec_without_returning(&change.transaction).await?;
    let reminding = run.iter().filter(|held| !held.reminders.is_empty());
    let mut reminding: Vec<_> = reminding.collect();
    if stored < run.len() as u64 && !reminding.is_empty() {
        let ids = reminding.iter().map(|held| held.row.id);
        let new = owned::<Entity>(owner)
            .filter(Column::Id.is_in(ids))
            .filter(Column::Revision.eq(change.revision))
            .select_only()
            .column(Column::Id)
            .into_tuple::<Uuid>();
        let new: HashSet<_> = new.all(&change.transaction).await?.into_iter().collect();
        reminding.retain(|held| new.contains(&held.row.id));
    }
    let reminders = reminding
        .iter()
        .flat_map(|held| held.reminders.iter().map(|fires_at| reminds(held.row.id, *fires_at)));
    insert_reminders(change, owner, &reminders.collect::<Vec<_>>()).await?;
    Ok(stored)
}

/// That nothing was stored, and why.
fn refusal(report: &Report) -> Error {
    let told = report.faults.iter().take(MAX_TOLD).map(|fault| Violation {
        field: format!("line {}: {}", fault.line, fault.field).into(),
        message: fault.message.clone(),
    });
    let (received, faulty) = (report.received, report.faulty);
    Error::NotImported { received, faulty, faults: Violations(told.collect()) }
}
