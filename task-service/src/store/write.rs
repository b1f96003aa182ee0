//! Writes of tasks, with their reminders and usage.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Insert, QueryFilter, QueryTrait, sea_query::OnConflict,
};
use server::db::Transaction;
use shared::{auth::Owner, error::Refusal};
use uuid::Uuid;

use super::{
    change::Change,
    owned::{owned_delete, owned_insert, owned_insert_many, owned_update},
    row::{self, set_columns},
    statement::Text,
};
use crate::{
    domain::{quota::Usage, task::Task, timestamp::Timestamp},
    entity::{
        reminder,
        task::{ActiveModel, Column, Entity},
    },
    error::Error,
};

/// Inserts a task.
pub async fn insert(
    change: &Change,
    owner: &Owner,
    task: &Task,
    now: Timestamp,
) -> Result<(), Error> {
    static TEXT: Text = Text::new();
    change.grow(row::usage(task))?;
    insert_row(change, owner, task, &TEXT, || owned_insert(owner, row::whole(task))).await?;
    insert_reminders(&change.transaction, owner, &pending(task, now)).await
}

/// Inserts the next task of a series, unless its occurrence exists already, as after an import.
pub async fn insert_next(
    change: &Change,
    owner: &Owner,
    task: &Task,
    now: Timestamp,
) -> Result<(), Error> {
    static TEXT: Text = Text::new();
    let insert = || owned_insert(owner, row::whole(task)).on_conflict(if_new());
    if insert_row(change, owner, task, &TEXT, insert).await? == 0 {
        return Ok(());
    }
    change.grow(row::usage(task))?;
    insert_reminders(&change.transaction, owner, &pending(task, now)).await
}

/// Executes an insert of the row of `task`, and returns the number of rows.
async fn insert_row(
    change: &Change,
    owner: &Owner,
    task: &Task,
    text: &'static Text,
    insert: impl Fn() -> Insert<ActiveModel>,
) -> Result<u64, Error> {
    let mut values = vec![owner.user().as_str().into()];
    values.extend(set_columns(row::whole(task)).map(|(_, value)| value));
    let backend = change.transaction.backend();
    let statement = text.bind(backend, values, || insert().into_query());
    Ok(statement.execute(&change.transaction).await?)
}

/// Skips a task whose id or occurrence exists.
pub fn if_new() -> OnConflict {
    OnConflict::new().do_nothing().to_owned()
}

/// The most rows of one insert. Numbers of rows are powers of two, as each number is a prepared
/// statement of its own.
pub const ROWS: usize = 64;

/// `rows` in runs of few different lengths.
pub fn runs<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let most = rows.len().min(ROWS);
        let length = 1 << most.checked_ilog2()?;
        let (run, rest) = rows.split_at(length);
        rows = rest;
        Some(run)
    })
}

/// Inserts tasks.
pub async fn insert_all(
    change: &Change,
    owner: &Owner,
    tasks: &[Task],
    now: Timestamp,
) -> Result<(), Error> {
    let all = tasks.iter().map(row::usage).fold(Usage::default(), Usage::and);
    change.grow(all)?;
    for run in runs(tasks) {
        let rows = run.iter().map(row::whole).collect();
        let insert = owned_insert_many(owner, rows);
        insert.exec_without_returning(&change.transaction).await?;
    }
    let reminders = tasks.iter().flat_map(|task| pending(task, now)).collect::<Vec<_>>();
    insert_reminders(&change.transaction, owner, &reminders).await
}

/// Inserts reminders, unless they exist.
pub async fn insert_reminders(
    on: &Transaction,
    owner: &Owner,
    reminders: &[reminder::ActiveModel],
) -> Result<(), Error> {
    for run in runs(reminders) {
        let insert = owned_insert_many(owner, run.to_vec()).on_conflict_do_nothing();
        insert.exec_without_returning(on).await?;
    }
    Ok(())
}

/// Updates the task `before` to `after`, as part of this change.
pub async fn replace(
    change: &Change,
    owner: &Owner,
    before: &Task,
    after: &mut Task,
    now: Timestamp,
) -> Result<(), Error> {
    static TEXT: Text = Text::new();
    after.revision = change.revision;
    change.grow(row::usage(after).without(row::usage(before)))?;
    let update = || {
        let update = owned_update::<Entity>(owner).set(row::changeable(after));
        update.filter(Column::Id.eq(after.id)).into_query()
    };
    let mut values: Vec<_> = set_columns(row::changeable(after)).map(|(_, value)| value).collect();
    values.extend([owner.user().as_str().into(), after.id.into()]);
    let statement = TEXT.bind(change.transaction.backend(), values, update);
    if statement.execute(&change.transaction).await? != 1 {
        return Err(Refusal::TaskNotFound.into());
    }
    let (noted, moments) = (to_remind_at(before), to_remind_at(after));
    if noted == moments {
        return Ok(());
    }
    if !noted.is_empty() {
        // An unchanged reminder that is due by now is kept and fires.
        let pending = owned_delete::<reminder::Entity>(owner)
            .filter(reminder::Column::TaskId.eq(after.id))
            .filter(reminder::Column::FiredAt.is_null())
            .filter(reminder::Column::FiresAt.is_not_in(moments.iter().map(|at| at.micros())));
        pending.exec(&change.transaction).await?;
    }
    insert_reminders(&change.transaction, owner, &pending(after, now)).await
}

/// The times of the reminders of `task`, if it is open and outside the trash.
fn to_remind_at(task: &Task) -> Vec<Timestamp> {
    if task.completed() || task.deleted_at.is_some() {
        return Vec::new();
    }
    task.content.reminders.moments(task.content.due.as_ref())
}

/// The pending reminders of `task`, in the future alone. A reminder that has fired does not fire
/// again.
pub fn pending(task: &Task, now: Timestamp) -> Vec<reminder::ActiveModel> {
    let moments = to_remind_at(task).into_iter();
    moments.filter(|moment| *moment > now).map(|moment| reminds(task.id, moment.micros())).collect()
}

/// The row of a reminder.
pub fn reminds(task_id: Uuid, fires_at: i64) -> reminder::ActiveModel {
    reminder::ActiveModel { task_id: Set(task_id), fires_at: Set(fires_at), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_statements_are_enough_for_any_number_of_rows() {
        let rows = [(); 500];
        for count in 0..=rows.len() {
            let lengths: Vec<_> = runs(&rows[..count]).map(<[()]>::len).collect();
            assert_eq!(lengths.iter().sum::<usize>(), count);
            assert!(lengths.iter().all(|length| length.is_power_of_two() && *length <= ROWS));
            assert!(lengths.len() <= count / ROWS + 6, "{lengths:?}");
        }
    }
}
