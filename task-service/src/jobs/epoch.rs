//! A database that is restored from a backup while a server runs: what the server remembers
//! of it is soon read anew.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::{notifications::notification::Notice, store::Tasks};

/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);

/// Keeps the epoch of the database in mind, for as long as it is polled. Where another one
/// has begun, whoever watches looks again, and is told to start over.
pub async fn run(tasks: Tasks) {
    let mut rounds = tokio::time::interval(PERIOD);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let before = tasks.epoch();
        // A database that is away is told by those who need it.
        if let Ok(now) = tasks.read_epoch().await
            && now != before
        {
            tracing::warn!("the database was restored: tokens from before are refused");
            tasks.hub().heard(&Notice::everything());
        }
    }
}
