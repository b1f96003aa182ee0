//! The job that keeps the full-text index by the rules of this version.

use std::time::Duration;

use crate::{
    jobs::backoff::Trouble,
    store::{EveryUser, Tasks},
};

/// How often to look: a replica of an older version may write beside this one.
const PERIOD: Duration = Duration::from_mins(1);

/// Indexes anew what an older version has indexed, while others are served. Every replica
/// has it, and what one has done the others leave alone.
pub async fn run(tasks: Tasks, all: EveryUser) {
    let mut trouble = Trouble::default();
    loop {
        match tasks.index_outdated(all).await {
            Ok(indexed) => {
                trouble.is_over("tasks are indexed again");
                if indexed > 0 {
                    tracing::info!(indexed, "tasks of an older version indexed anew");
                }
                tokio::time::sleep(PERIOD).await;
            }
            Err(error) => trouble.happened(&error, "cannot index tasks anew").await,
        }
    }
}
