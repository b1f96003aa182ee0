//! Imports into SQLite in chunks, so that other writers of its one writer lock get in between.
//!
//! The rows have the number of the owner's next change, and a row in `task_import` marks them as
//! unfinished: `owned` leaves them out. One small transaction at the end takes the number and
//! deletes the mark. After a failure the rows are deleted, at once or at the next start.
//!
//! Nothing else of the owner takes a number meanwhile: changes wait in the queue, and reminders do
//! not fire.

use std::time::{Duration, Instant};

use sea_orm::{ActiveValue::Set, DbErr};
use shared::{auth::Owner, error::Refusal};
use tokio::sync::oneshot;

use super::{
    Tasks,
    import_rows::{Plan, Runs, StagedRow, insert_all},
    notify::PendingNotification,
    owned::{owned, owned_delete, owned_insert},
    revision::take_number,
    scope::{EveryUser, Scope},
    spool::Rows,
    system_queries::{finished_import, unfinished_imports, unfinished_reminders, unfinished_tasks},
};
use crate::{
    domain::quota::Usage,
    entity::{import, revision},
    error::Error,
};

/// The time after which a chunk ends.
const CHUNK: Duration = Duration::from_millis(40);

/// The most tasks that one transaction deletes on rollback.
const BATCH: u64 = 200;

/// The pause before a failed rollback is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// Stores the rows that do not exist, all or none, and returns their number. It completes even if
/// the caller is gone.
pub async fn store(
    tasks: Tasks,
    owner: Owner,
    staged: Rows<StagedRow>,
    plan: Plan,
) -> Result<u64, Error> {
    let guard = tasks.queues.changes.acquire(owner.user().as_str()).await?;
    let (sender, outcome) = oneshot::channel();
    tokio::spawn(async move {
        // The receiver is gone if the caller is.
        let _ = sender.send(import(&tasks, &owner, staged, plan).await);
        // The rollback comes before the next change takes the number.
        while let Err(error) = tasks.take_back_imports_of(&owner).await {
            tracing::warn!(?error, "cannot take an import back yet");
            tokio::time::sleep(PAUSE).await;
        }
        drop(guard);
    });
    outcome.await.map_err(std::io::Error::other)?
}

async fn import(
    tasks: &Tasks,
    owner: &Owner,
    staged: Rows<StagedRow>,
    plan: Plan,
) -> Result<u64, Error> {
    let (revision, usage) = begin(tasks, owner).await?;
    let more = store_chunks(tasks, owner, usage, Runs::new(staged, plan, revision)).await?;
    if more.tasks > 0 {
        publish(tasks, owner, revision, more).await?;
    }
    Ok(more.tasks.unsigned_abs())
}

/// Marks the import, and returns its change number and the owner's usage before it.
async fn begin(tasks: &Tasks, owner: &Owner) -> Result<(i64, Usage), Error> {
    let transaction = tasks.database.begin().await?;
    let row = owned::<revision::Entity>(tasks.database.backend(), owner).one(&transaction).await?;
    let (latest, usage) = row.map_or((tasks.epoch().base, Usage::default()), |row| {
        (row.revision, Usage { tasks: row.tasks, bytes: row.bytes })
    });
    let mark = import::ActiveModel { revision: Set(latest + 1), ..Default::default() };
    owned_insert(owner, mark).exec_without_returning(&transaction).await?;
    transaction.commit().await?;
    Ok((latest + 1, usage))
}

async fn store_chunks(
    tasks: &Tasks,
    owner: &Owner,
    usage: Usage,
    mut runs: Runs,
) -> Result<Usage, Error> {
    let mut all = Usage::default();
    let mut rows = runs.next().await?;
    while !rows.is_empty() {
        tasks.database.check_space()?;
        // The writer lock is fair: waiting writers come before the next chunk.
        let transaction = tasks.database.begin().await?;
        let start = Instant::now();
        while !rows.is_empty() {
            let insert = insert_all(&transaction, owner, runs.revision, &rows);
            let (more, next) = tokio::join!(insert, runs.next());
            let more = more?;
            all = all.and(more);
            if !tasks.quota.allows(usage.and(all), more) {
                return Err(Refusal::QuotaExceeded.into());
            }
            rows = next?;
            if start.elapsed() >= CHUNK {
                break;
            }
        }
        transaction.commit().await?;
    }
    Ok(all)
}

/// Publishes the rows as one change of the owner.
async fn publish(tasks: &Tasks, owner: &Owner, revision: i64, more: Usage) -> Result<(), Error> {
    let transaction = tasks.database.begin().await?;
    let (taken, usage) = take_number(&transaction, tasks.epoch().base, owner, more).await?;
    let mark = owned_delete::<import::Entity>(owner).exec(&transaction).await?;
    if taken != revision || mark.rows_affected != 1 {
        return Err(DbErr::Custom("another process changes the same file".to_owned()).into());
    }
    if !tasks.quota.allows(usage, more) {
        return Err(Refusal::QuotaExceeded.into());
    }
    PendingNotification::of_change(&tasks.pubsub, owner.user().as_str())
        .send_after(transaction.commit())
        .await
}

impl Tasks {
    /// Deletes the rows of interrupted imports of all users, once at start.
    pub async fn take_back_imports(&self, all: EveryUser) -> Result<(), Error> {
        for import in unfinished_imports(all).all(self.database.reader()).await? {
            tracing::warn!("an import broke off and is taken back");
            self.take_back(&all.user(&import.user_id), import.revision).await?;
        }
        Ok(())
    }

    /// Deletes the rows of interrupted imports of one user.
    async fn take_back_imports_of(&self, owner: &Owner) -> Result<(), Error> {
        let imports = owned::<import::Entity>(self.database.backend(), owner);
        for import in imports.all(self.database.reader()).await? {
            self.take_back(owner, import.revision).await?;
        }
        Ok(())
    }

    async fn take_back(&self, user: &impl Scope, revision: i64) -> Result<(), Error> {
        loop {
            let transaction = self.database.begin().await?;
            unfinished_reminders(user, revision, BATCH).exec(&transaction).await?;
            let tasks = unfinished_tasks(user, revision, BATCH).exec(&transaction).await?;
            let is_over = tasks.rows_affected < BATCH;
            if is_over {
                finished_import(user, revision).exec(&transaction).await?;
            }
            transaction.commit().await?;
            if is_over {
                return Ok(());
            }
        }
    }
}
