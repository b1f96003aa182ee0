//! Tasks whose place in the full-text index is not what the rules of this version make it.

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

/// How many tasks are read at a time.
const BATCH: u64 = 100;

/// How much text one transaction of SQLite indexes at most, in bytes: others wait for it.
const TEXT: usize = 64 * 1024;

/// A task to be indexed.
struct Stale {
    user_id: String,
    id: Uuid,
    revision: i64,
    title: String,
    description: String,
    tags: Vec<String>,
}

impl Stale {
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
    /// Indexes what no replica of this version has indexed, and tells how many tasks that
    /// were. It works half of the time at most, so that those who call get the other half.
    /// Several processes may do so at once, as they all compute the same.
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
                Stale { user_id, id, revision, title, description, tags }
            })
            .collect();
        if self.database.backend().locks_rows() {
            // One by one, so that whoever holds one row is never waited for with another.
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

/// How many of `tasks`, one at least, are indexed together.
fn fitting(tasks: &[Stale]) -> usize {
    let mut size = 0;
    let fits = |task: &&Stale| {
        size += task.size();
        size <= TEXT
    };
    tasks.iter().take_while(fits).count().max(1)
}
