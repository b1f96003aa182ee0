//! Tasks that were stored before there was an index for them.

use super::{
    Tasks,
    details::Details,
    everybody::{indexed, unindexed},
};
use crate::{error::Error, task::sort_key, words::Lexicon};

/// How many tasks one transaction takes.
const BATCH: u64 = 500;

impl Tasks {
    /// Computes what tasks are found and sorted by, for all that do not have it yet. Asked
    /// once before anything is served; several processes may do so at once, as they all
    /// compute the same.
    pub async fn index_older(&self) -> Result<(), Error> {
        let mut done = 0_usize;
        loop {
            let older = unindexed(BATCH).all(self.database.reader()).await?;
            if older.is_empty() {
                return Ok(());
            }
            let transaction = self.database.begin().await?;
            for (user_id, id, title, description, details) in &older {
                let tags = Details::read(details.as_deref()).unwrap_or_default().tags;
                let words = Lexicon::of(user_id).index(title, description, &tags);
                indexed(user_id, *id, sort_key(title), words).exec(&transaction).await?;
            }
            transaction.commit().await?;
            done += older.len();
            tracing::info!(done, "older tasks indexed");
        }
    }
}
