//! What is removed after a while, without anybody asking.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::MissedTickBehavior;

use super::Sessions;

/// How often to look.
const PERIOD: Duration = Duration::from_hours(1);

/// How long a replaced token is known. One that is used later opens nothing, and that it was
/// a session's once is not noticed.
const REPLACED_ARE_KNOWN: TimeDelta = TimeDelta::days(30);

impl Sessions {
    /// Removes sessions that have expired, now and again, of users who did not come back,
    /// and what is kept of sessions that others have ended. They open nothing: a failure
    /// waits for the next round. Never ends.
    pub async fn sweep(self) {
        let mut rounds = tokio::time::interval(PERIOD);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let now = self.now();
            match self.store.remove_expired_sessions(now, self.oldest(now)).await {
                Ok(removed) => tracing::debug!(removed, "expired sessions swept"),
                Err(error) => tracing::warn!(%error, "cannot sweep expired sessions"),
            }
            match self.store.forget_ended(now - REPLACED_ARE_KNOWN).await {
                Ok(forgotten) => tracing::debug!(forgotten, "traces of ended sessions swept"),
                Err(error) => tracing::warn!(%error, "cannot sweep traces of ended sessions"),
            }
        }
    }
}
