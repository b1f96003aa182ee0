//! What a job does when the database is away.

use std::{error::Error, time::Duration};

/// How long to wait after a failure, at first and at most.
const BACK_OFF: Duration = Duration::from_millis(200);
const MAX_BACK_OFF: Duration = Duration::from_secs(10);

/// Something that fails until it works again: said once, tried less and less often.
#[derive(Default)]
pub struct Trouble {
    pause: Option<Duration>,
}

impl Trouble {
    /// It failed. Returns when it is time to try again.
    pub async fn happened(&mut self, error: &(dyn Error + Sync), what: &str) {
        let pause = match self.pause {
            None => {
                tracing::warn!(?error, "{what}");
                BACK_OFF
            }
            Some(pause) => (pause * 2).min(MAX_BACK_OFF),
        };
        self.pause = Some(pause);
        tokio::time::sleep(pause).await;
    }

    /// It worked.
    pub fn is_over(&mut self, what: &str) {
        if self.pause.take().is_some() {
            tracing::info!("{what}");
        }
    }
}
