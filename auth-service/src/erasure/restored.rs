//! Repeats every erasure when task-service's database was restored from a backup.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::Erasures;
use crate::{error::Error, task_client::TaskClient};

/// The check interval.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

impl Erasures {
    /// Checks periodically whether task-service's database was restored. Every replica does:
    /// repeating is harmless. Never ends.
    pub async fn watch_restores(self, tasks: TaskClient) {
        let mut rounds = tokio::time::interval(CHECK_INTERVAL);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            match self.repeat_after_restore(&tasks).await {
                Ok(0) => {}
                Ok(orders) => {
                    tracing::info!(
                        orders,
                        "task-service's database is another one: deleted \
                        users are removed from it again"
                    );
                    self.wake();
                }
                // Retried soon. An older task-service has no such rpc.
                Err(error) => {
                    let cause = shared::error::causes(&error);
                    tracing::debug!(cause, "cannot read the epoch of task-service's database");
                }
            }
        }
    }

    /// Repeats every erasure if the database has another epoch, and returns how many.
    pub(super) async fn repeat_after_restore(&self, tasks: &TaskClient) -> Result<u64, Error> {
        let epoch = tasks.epoch().await?;
        if self.store.erased_from().await?.as_deref() == Some(epoch.as_str()) {
            return Ok(0);
        }
        Ok(self.store.repeat_erasures(&epoch, self.now()).await?)
    }
}
