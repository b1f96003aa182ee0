//! The update of the full-text index for entries of another version.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{
    Tasks,
    details::Details,
    dialect::Dialect,
    scope::EveryUser,
    system_queries::{indexed, outdated},
};
use crate::{domain::task::sort_key, error::Error, query::full_text::Lexicon};

/// The page size.
const BATCH: u64 = 100;

/// The most bytes of text that one transaction of SQLite indexes; other writers wait for it.
const TEXT: usize = 64 * 1024;

/// A task with an outdated index entry.
struct OutdatedTask {
    user_id: String,
    id: Uuid,
    revision: i64,
    title: String,
    description: String,
    tags: Vec<String>,
}

impl OutdatedTask {
    fn size(&self) -> usize {
        self.title.len() + self.description.len() + self.tags.iter().map(String::len).sum::<usize>()
    }

    async fn index(&self, all: EveryUser, on: &impl ConnectionTrait) -> Result<(), Error> {
        let Self { user_id, id, revision, title, description, tags } = self;
        let made = Lexicon::of(user_id).index(title, description, tags);
        indexed(all.user(user_id), (*id, *revision), sort_key(title), made).exec(on).await?;
        Ok(())
    }
}

impl Tasks {
    /// Indexes outdated tasks of all users and returns their number. It works at most half of the
    /// time, to leave the database to calls. Safe on several replicas, as all compute the same.
    pub async fn index_outdated(&self, all: EveryUser) -> Result<usize, Error> {
        let mut indexed = 0;
        loop {
            let begun = tokio::time::Instant::now();
            let some = self.index_some(all).await?;
            if some == 0 {
                return Ok(indexed);
            }
            indexed += some;
            tracing::debug!(all = indexed, "tasks indexed anew");
            tokio::time::sleep(begun.elapsed().max(Duration::from_millis(1))).await;
        }
    }

    async fn index_some(&self, all: EveryUser) -> Result<usize, Error> {
        let some = outdated(all, BATCH).all(self.database.reader()).await?;
        let some: Vec<_> = some
            .into_iter()
            .map(|(user_id, id, revision, title, description, details)| {
                let tags = Details::read(details.as_deref()).unwrap_or_default().tags;
                OutdatedTask { user_id, id, revision, title, description, tags }
            })
            .collect();
        if self.database.backend().locks_rows() {
            // One by one, so that no row lock is held while waiting for another.
            for task in &some {
                task.index(all, self.database.writer()).await?;
            }
            return Ok(some.len());
        }
        let mut rest = &some[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest));
            let transaction = self.database.begin().await?;
            for task in now {
                task.index(all, &transaction).await?;
            }
            transaction.commit().await?;
            rest = later;
        }
        Ok(some.len())
    }
}

/// The number of `tasks` for one transaction, at least one.
fn fitting(tasks: &[OutdatedTask]) -> usize {
    let mut size = 0;
    let fits = |task: &&OutdatedTask| {
        size += task.size();
        size <= TEXT
    };
    tasks.iter().take_while(fits).count().max(1)
}
