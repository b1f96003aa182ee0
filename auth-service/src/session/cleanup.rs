//! The cleanup job of sessions and their replaced tokens (retention).

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::MissedTickBehavior;

use super::Sessions;

/// The interval of the job.
const PERIOD: Duration = Duration::from_hours(1);

/// The retention of replaced tokens. A later reuse is refused like an unknown token.
const REPLACED_ARE_KNOWN: TimeDelta = TimeDelta::days(30);

impl Sessions {
    /// Removes expired sessions periodically, and the data of sessions that other servers ended.
    /// They open nothing: a failure waits for the next round. Never ends.
    pub async fn clean_up(self) {
        let mut rounds = tokio::time::interval(PERIOD);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let now = self.now();
            match self.store.remove_expired_sessions(now, self.oldest(now)).await {
                Ok(removed) => tracing::debug!(removed, "expired sessions removed"),
                Err(error) => tracing::warn!(%error, "cannot remove expired sessions"),
            }
            match self.store.remove_ended_session_data(now - REPLACED_ARE_KNOWN).await {
                Ok(forgotten) => tracing::debug!(forgotten, "data of ended sessions removed"),
                Err(error) => tracing::warn!(%error, "cannot remove data of ended sessions"),
            }
        }
    }
}
