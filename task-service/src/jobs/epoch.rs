//! The job that detects a database restored from a backup while the server runs.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::{notifications::notification::Notification, store::Tasks};

/// The period of the job.
const PERIOD: Duration = Duration::from_secs(1);

/// Reads the epoch periodically. After a change, watchers read again and are refused their cursors.
pub async fn run(tasks: Tasks) {
    let mut rounds = tokio::time::interval(PERIOD);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let before = tasks.epoch();
        // An unavailable database is reported by the calls.
        if let Ok(now) = tasks.read_epoch().await
            && now != before
        {
            tracing::warn!("the database was restored: tokens from before are refused");
            tasks.pubsub().deliver(&Notification::for_all());
        }
    }
}
