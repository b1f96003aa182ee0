//! What is forgotten after a while, without anybody asking.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::store::{EveryUser, Tasks};

/// How often to look.
const PERIOD: Duration = Duration::from_mins(10);

/// Forgets expired request ids, old firings and what has been in the trash for longer than
/// `retention`, now and again. Several replicas may do so at once, and a failure waits for
/// the next round: what is expired is harmless.
pub async fn run(tasks: Tasks, all: EveryUser, retention: Duration) {
    let mut rounds = tokio::time::interval(PERIOD);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        match tasks.forget_expired_requests(all).await {
            Ok(forgotten) => tracing::debug!(forgotten, "request ids swept"),
            Err(error) => tracing::warn!(?error, "cannot sweep request ids"),
        }
        match tasks.forget_fired(all).await {
            Ok(forgotten) => tracing::debug!(forgotten, "fired reminders swept"),
            Err(error) => tracing::warn!(?error, "cannot sweep fired reminders"),
        }
        match tasks.purge(all, retention).await {
            Ok(purged) => tracing::debug!(purged, "trash purged"),
            Err(error) => tracing::warn!(?error, "cannot purge the trash"),
        }
    }
}
