//! The retention job: deletes expired idempotency keys, old reminder events and the expired trash.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::store::{EveryUser, Tasks};

/// The period of the job.
const PERIOD: Duration = Duration::from_mins(10);

/// Deletes what has expired, periodically. Safe on several replicas at once; after a failure the
/// next round tries again.
pub async fn run(tasks: Tasks, all: EveryUser, retention: Duration) {
    let mut rounds = tokio::time::interval(PERIOD);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        match tasks.delete_expired_keys(all).await {
            Ok(deleted) => tracing::debug!(deleted, "idempotency keys deleted"),
            Err(error) => tracing::warn!(?error, "cannot delete idempotency keys"),
        }
        match tasks.delete_old_reminder_events(all).await {
            Ok(deleted) => tracing::debug!(deleted, "reminder events deleted"),
            Err(error) => tracing::warn!(?error, "cannot delete reminder events"),
        }
        match tasks.empty_trash(all, retention).await {
            Ok(purged) => tracing::debug!(purged, "trash purged"),
            Err(error) => tracing::warn!(?error, "cannot purge the trash"),
        }
    }
}
