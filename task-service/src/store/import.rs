//! Imports: what comes is looked at one by one and held back, and stored in one change when
//! all of it is sound.

use std::{collections::HashSet, net::IpAddr};

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, QueryFilter, QuerySelect, TryIntoModel,
    sea_query::{Expr, ExprTrait},
};
use shared::{
    auth::Owner,
    fields::{MAX_REPORTED, Violation, Violations},
};
use uuid::Uuid;

use super::{
    Tasks,
    import_rows::{Held, Plan},
    owned::owned,
    row::whole,
    spool::{Rows, SPREAD, Spool},
    turns::ImportTurn,
    write::{ROWS, pending},
};
use crate::{
    entity::task::{ActiveModel, Column, Entity},
    error::Error,
    import::{Fault, Imported, MAX_BYTES, MAX_TASKS, Report},
    moment::Moment,
};

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
    turn: ImportTurn,
}

impl Tasks {
    /// Begins an import for `owner`, who has one at a time, as few calls `from` one address have; a dry run only tells what it
    /// would do.
    pub fn import(
        &self,
        owner: Owner,
        from: Option<IpAddr>,
        dry_run: bool,
    ) -> Result<Import, Error> {
        self.database.check_space()?;
        let turn = self.turns.import(owner.user().as_str(), from).ok_or(Error::TooManyImports)?;
        Ok(Import {
            turn,
            tasks: self.clone(),
            owner,
            now: self.now(),
            report: Report { dry_run, ..Report::default() },
            held: Spool::new(&self.spools, MAX_BYTES),
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
        let plan = Plan { occurrences, order: order(&stood) };
        let permit = tasks.turns.store().await?;
        report.imported = tasks.store_import(owner, held, plan).await?;
        drop((permit, turn));
        report.skipped = report.received - report.imported;
        Ok(report)
    }
}

impl Tasks {
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
            let there: Vec<(Uuid, Option<Uuid>, Option<i64>)> =
                owned::<Entity>(self.database.backend(), owner)
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

/// That nothing was stored, and why.
fn refusal(report: &Report) -> Error {
    let told = report.faults.iter().take(MAX_REPORTED).map(|fault| Violation {
        field: format!("line {}: {}", fault.line, fault.field).into(),
        message: fault.message.clone(),
    });
    let (received, faulty) = (report.received, report.faulty);
    Error::NotImported { received, faulty, faults: Violations(told.collect()) }
}
