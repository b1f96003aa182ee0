//! The job that keeps the full-text index at the version of its rules.

use std::time::Duration;

use crate::{
    jobs::backoff::Backoff,
    store::{EveryUser, Tasks},
};

/// The period of the job: a replica of an older version may write beside this one.
const PERIOD: Duration = Duration::from_mins(1);

/// Reindexes entries of other versions while calls are served. Every replica runs it, and skips
/// what another has done.
pub async fn run(tasks: Tasks, all: EveryUser) {
    let mut backoff = Backoff::default();
    loop {
        match tasks.index_outdated(all).await {
            Ok(indexed) => {
                backoff.succeeded("tasks are indexed again");
                if indexed > 0 {
                    tracing::info!(indexed, "tasks of an older version indexed anew");
                }
                tokio::time::sleep(PERIOD).await;
            }
            Err(error) => backoff.failed(&error, "cannot index tasks anew").await,
        }
    }
}
