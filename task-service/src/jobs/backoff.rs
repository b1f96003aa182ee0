//! The backoff of jobs while the database is unavailable.

use std::{error::Error, time::Duration};

/// The first and the longest pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// The backoff of one job: the first failure is logged, and each pause is longer.
#[derive(Default)]
pub struct Backoff {
    pause: Option<Duration>,
}

impl Backoff {
    /// Logs the first failure, and waits before the next attempt.
    pub async fn failed(&mut self, error: &(dyn Error + Sync), what: &str) {
        let pause = match self.pause {
            None => {
                tracing::warn!(?error, "{what}");
                FIRST_PAUSE
            }
            Some(pause) => (pause * 2).min(MAX_PAUSE),
        };
        self.pause = Some(pause);
        tokio::time::sleep(pause).await;
    }

    /// Logs that the job works again, after a failure.
    pub fn succeeded(&mut self, what: &str) {
        if self.pause.take().is_some() {
            tracing::info!("{what}");
        }
    }
}
