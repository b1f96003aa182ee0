//! The import: tasks are validated and staged one by one in a spool, and stored in one change when
//! all are valid.

use std::{collections::HashSet, net::IpAddr};

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, QueryFilter, QuerySelect, TryIntoModel,
    sea_query::{Expr, ExprTrait},
};
use shared::{
    auth::Owner,
    error::Refusal,
    fields::{MAX_REPORTED, Violation, Violations},
};
use uuid::Uuid;

use super::{
    Tasks,
    import_rows::{Plan, StagedRow},
    owned::owned,
    row::whole,
    spool::{Rows, SPREAD, Spool},
    user_queue::ImportPermit,
    write::{ROWS, pending},
};
use crate::{
    domain::{
        import::{Fault, Imported, MAX_BYTES, MAX_TASKS, Report},
        timestamp::Timestamp,
    },
    entity::task::{ActiveModel, Column, Entity},
    error::Error,
};

/// An import in progress. Dropped before it is finished, it leaves nothing behind.
pub struct Import {
    tasks: Tasks,
    owner: Owner,
    now: Timestamp,
    report: Report,
    staged: Spool<StagedRow>,
    /// The ids received.
    ids: HashSet<Uuid>,
    /// The occurrences of series received.
    occurrences: HashSet<(Uuid, i64)>,
    /// The previous position of each task received, if any.
    previous_positions: Vec<Option<Box<str>>>,
    /// Released when the import ends.
    permit: ImportPermit,
}

impl Tasks {
    /// Begins an import for `owner`, within the limits of imports per user and `from` one address;
    /// a dry run only reports.
    pub fn import(
        &self,
        owner: Owner,
        from: Option<IpAddr>,
        dry_run: bool,
    ) -> Result<Import, Error> {
        self.database.check_space()?;
        let permit =
            self.queues.import(owner.user().as_str(), from).ok_or(Refusal::TooManyImports)?;
        Ok(Import {
            permit,
            tasks: self.clone(),
            owner,
            now: self.now(),
            report: Report { dry_run, ..Report::default() },
            staged: Spool::new(&self.spools, MAX_BYTES),
            ids: HashSet::new(),
            occurrences: HashSet::new(),
            previous_positions: Vec::new(),
        })
    }
}

impl Import {
    /// Takes the task of this line, or its faults. Fails beyond the most tasks.
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
        let faults = match given.map(|task| self.stage(task)) {
            Ok(Ok(row)) => return self.spool(row).await,
            Ok(Err(fault)) => vec![fault],
            Err(faults) => faults,
        };
        let fault = |(field, message)| Fault { line, field, message };
        self.report.refuse(faults.into_iter().map(fault));
        Ok(())
    }

    /// The staged row of a task, unless it is a duplicate.
    fn stage(&mut self, task: Imported) -> Result<StagedRow, (String, String)> {
        let twice = |field: &str| (field.to_owned(), "must not come twice".to_owned());
        let previous_position = task.position.as_ref().map(|position| position.as_str().into());
        let task = task.into_task(self.owner.user().as_str(), self.now);
        if !self.ids.insert(task.id) {
            return Err(twice("id"));
        }
        if let Some(series) = task.series
            && !self.occurrences.insert((series.id, series.occurrence))
        {
            return Err(twice("occurrence"));
        }
        self.previous_positions.push(previous_position);
        let reminders = pending(&task, self.now);
        let reminders = reminders.into_iter().filter_map(|mut row| row.fires_at.take()).collect();
        let user_id = Set(task.user_id.clone());
        let row = ActiveModel { user_id, ..whole(&task) };
        let row = row.try_into_model().map_err(|_| ("task".to_owned(), "is faulty".to_owned()))?;
        Ok(StagedRow { row, reminders })
    }

    async fn spool(&mut self, row: StagedRow) -> Result<(), Error> {
        // After a fault nothing will be stored.
        if self.report.faulty == 0 && !self.staged.write(&row).await? {
            let most = SPREAD * MAX_BYTES;
            let rule = format!("must take at most {most} bytes while they are held back");
            return Err(Violations::one("tasks", rule).into());
        }
        Ok(())
    }

    /// Stores all tasks if all are valid and it is no dry run.
    pub async fn finish(self) -> Result<Report, Error> {
        let Self {
            tasks, owner, mut report, staged, occurrences, previous_positions, permit, ..
        } = self;
        if report.faulty > 0 {
            return if report.dry_run { Ok(report) } else { Err(refusal(&report)) };
        }
        let staged = staged.read().await?;
        if report.dry_run {
            report.skipped = tasks.count_known(&owner, staged).await?;
            report.imported = report.received - report.skipped;
            return Ok(report);
        }
        let plan = Plan { occurrences, order: order(&previous_positions) };
        let storing = tasks.queues.store().await?;
        report.imported = tasks.store_import(owner, staged, plan).await?;
        drop((storing, permit));
        report.skipped = report.received - report.imported;
        Ok(report)
    }
}

impl Tasks {
    /// The number of these rows that exist already.
    async fn count_known(&self, owner: &Owner, mut staged: Rows<StagedRow>) -> Result<u64, Error> {
        let mut known = 0;
        loop {
            let mut rows = staged.next(ROWS).await?;
            let Some(last) = rows.last() else { return Ok(known) };
            let (id, count) = (last.row.id, rows.len());
            let ids = rows.iter().map(|row| row.row.id);
            let asked: Vec<_> = ids.chain(std::iter::repeat(id)).take(ROWS).collect();
            let place = |row: &StagedRow| row.row.series_id.zip(row.row.occurrence);
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
            let is_new = |row: &StagedRow| {
                !ids.contains(&row.row.id) && !place(row).is_some_and(|p| places.contains(&p))
            };
            rows.retain(is_new);
            known += (count - rows.len()) as u64;
        }
    }
}

/// The rank of each task by its previous position, then those without one. They are appended to the
/// order; their positions were those of another account.
fn order(previous_positions: &[Option<Box<str>>]) -> Vec<u32> {
    let mut sorted: Vec<_> = (0_u32..).zip(previous_positions).collect();
    sorted.sort_by_key(|(_, position)| (position.is_none(), *position));
    let mut places = vec![0; sorted.len()];
    for (place, (index, _)) in (0_u32..).zip(sorted) {
        if let Some(of) = places.get_mut(index as usize) {
            *of = place;
        }
    }
    places
}

/// The error of an import with invalid tasks.
fn refusal(report: &Report) -> Error {
    let violations = report.faults.iter().take(MAX_REPORTED).map(|fault| Violation {
        field: format!("line {}: {}", fault.line, fault.field).into(),
        message: fault.message.clone(),
    });
    let (received, faulty) = (report.received, report.faulty);
    Error::NotImported { received, faulty, faults: Violations(violations.collect()) }
}
