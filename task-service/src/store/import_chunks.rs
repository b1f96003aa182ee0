//! Imports into SQLite, whose one writer would keep everybody waiting: piece by piece, so that
//! others get their turn in between.
//!
//! The rows have the number that the owner's next change will have, and a row in `task_import`
//! says that they are not all there yet: nobody sees them (`owned` leaves them out). One small
//! transaction in the end takes the number, and that row away. Whoever fails or breaks off
//! before leaves nothing behind: what was stored is taken back, at once or at the next start.
//!
//! Nothing else of the owner takes a number meanwhile: changes wait for their turn, and
//! reminders do not fire.

use std::time::{Duration, Instant};

use sea_orm::{ActiveValue::Set, DbErr};
use shared::auth::Owner;
use tokio::sync::oneshot;

use super::{
    Tasks,
    import_rows::{Held, Plan, Runs, insert_all},
    notify::News,
    owned::{owned, owned_delete, owned_insert},
    revision::{next_number, stored_usage},
    scope::{EveryUser, Scope},
    spool::Rows,
    system_queries::{finished_import, unfinished_imports, unfinished_reminders, unfinished_tasks},
};
use crate::{
    domain::quota::Usage,
    entity::{import, revision},
    error::Error,
};

/// How long a piece keeps others waiting, but for the rows that are at work then.
const PIECE: Duration = Duration::from_millis(40);

/// How many tasks one transaction takes back.
const BATCH: u64 = 200;

/// How long to wait before what could not be taken back is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// Stores what is not there, all of it or nothing, and tells how much that was. It comes to an
/// end also when nobody waits for it any more.
pub async fn store(tasks: Tasks, owner: Owner, held: Rows<Held>, plan: Plan) -> Result<u64, Error> {
    let turn = tasks.turns.changes.take(owner.user().as_str()).await?;
    let (told, answer) = oneshot::channel();
    tokio::spawn(async move {
        // Nobody listens where the caller is gone.
        let _ = told.send(import(&tasks, &owner, held, plan).await);
        // The number must be nobody's before somebody else takes it.
        while let Err(error) = tasks.take_back_imports_of(&owner).await {
            tracing::warn!(?error, "cannot take an import back yet");
            tokio::time::sleep(PAUSE).await;
        }
        drop(turn);
    });
    answer.await.map_err(std::io::Error::other)?
}

async fn import(tasks: &Tasks, owner: &Owner, held: Rows<Held>, plan: Plan) -> Result<u64, Error> {
    let (revision, usage) = begin(tasks, owner).await?;
    let more = store_pieces(tasks, owner, usage, Runs::new(held, plan, revision)).await?;
    if more.tasks > 0 {
        publish(tasks, owner, revision, more).await?;
    }
    Ok(more.tasks.unsigned_abs())
}

/// Notes that there is an import, and tells its number and what its owner has before it.
async fn begin(tasks: &Tasks, owner: &Owner) -> Result<(i64, Usage), Error> {
    let transaction = tasks.database.begin().await?;
    let row = owned::<revision::Entity>(tasks.database.backend(), owner).one(&transaction).await?;
    let (latest, usage) = row
        .map_or((tasks.epoch().base, Usage::default()), |row| (row.revision, stored_usage(&row)));
    let mark = import::ActiveModel { revision: Set(latest + 1), ..Default::default() };
    owned_insert(owner, mark).exec_without_returning(&transaction).await?;
    transaction.commit().await?;
    Ok((latest + 1, usage))
}

async fn store_pieces(
    tasks: &Tasks,
    owner: &Owner,
    usage: Usage,
    mut runs: Runs,
) -> Result<Usage, Error> {
    let mut all = Usage::default();
    let mut rows = runs.next().await?;
    while !rows.is_empty() {
        tasks.database.check_space()?;
        // Who waits for the writer is served in order: others before the next piece.
        let transaction = tasks.database.begin().await?;
        let start = Instant::now();
        while !rows.is_empty() {
            let insert = insert_all(&transaction, owner, runs.revision, &rows);
            let (more, next) = tokio::join!(insert, runs.next());
            let more = more?;
            all = all.and(more);
            if !tasks.quota.allows(usage.and(all), more) {
                return Err(Error::QuotaExceeded);
            }
            rows = next?;
            if start.elapsed() >= PIECE {
                break;
            }
        }
        transaction.commit().await?;
    }
    Ok(all)
}

/// Lets the owner see what was stored, as a change like any other.
async fn publish(tasks: &Tasks, owner: &Owner, revision: i64, more: Usage) -> Result<(), Error> {
    let transaction = tasks.database.begin().await?;
    let row = next_number(tasks.epoch().base, owner, more, None)
        .exec_with_returning(&transaction)
        .await?;
    let mark = owned_delete::<import::Entity>(owner).exec(&transaction).await?;
    if row.revision != revision || mark.rows_affected != 1 {
        return Err(DbErr::Custom("another process changes the same file".to_owned()).into());
    }
    if !tasks.quota.allows(stored_usage(&row), more) {
        return Err(Error::QuotaExceeded);
    }
    News::of(&tasks.hub, owner.user().as_str()).after(transaction.commit()).await
}

impl Tasks {
    /// Takes back what imports left that broke off, of all users. Asked once before anything is
    /// served.
    pub async fn take_back_imports(&self, all: EveryUser) -> Result<(), Error> {
        for import in unfinished_imports(all).all(self.database.reader()).await? {
            tracing::warn!("an import broke off and is taken back");
            self.take_back(&all.user(&import.user_id), import.revision).await?;
        }
        Ok(())
    }

    /// The same of one user.
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
