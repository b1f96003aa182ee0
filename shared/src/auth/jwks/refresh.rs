//! The background job that refreshes published keys.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{
    document::PublicKeys,
    server::{FetchFault, KeyServer},
};

/// The shortest interval between refreshes that unknown key ids trigger.
pub(super) const MIN_INTERVAL: Duration = Duration::from_secs(30);

/// The backoff after a first failure, doubled with each further one.
const INITIAL_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_mins(1);

/// The refresh of keys: their server, the period, and the receivers.
pub(super) struct Refresh {
    pub server: KeyServer,
    pub period: Duration,
    pub publish: watch::Sender<Option<Arc<PublicKeys>>>,
    pub missed: Arc<Notify>,
}

impl Refresh {
    /// Fetches at once, then after each period, and sooner for an unknown key id. On failure the
    /// last keys stay valid.
    pub(super) async fn run(&self) {
        self.warn_if_plaintext();
        self.fetch_loop(|| self.server.fetch()).await;
    }

    fn warn_if_plaintext(&self) {
        if self.server.is_plaintext() {
            tracing::warn!(
                server = self.server.name(),
                "token keys come over plain HTTP: whoever is on the way can replace them"
            );
        }
    }

    /// Fetches sequentially, never concurrently.
    pub(super) async fn fetch_loop<F>(&self, fetch: impl Fn() -> F)
    where
        F: Future<Output = Result<PublicKeys, FetchFault>>,
    {
        let mut failures = 0;
        let mut last_missed: Option<Instant> = None;
        loop {
            let pause = match fetch().await {
                Ok(keys) => {
                    failures = 0;
                    self.publish_keys(keys);
                    self.period
                }
                Err(reason) => {
                    let pause = backoff(failures);
                    failures += 1;
                    let server = self.server.name();
                    tracing::warn!(server, %reason, failures, "cannot fetch token keys");
                    pause.min(self.period)
                }
            };
            let missed = async {
                self.missed.notified().await;
                if let Some(last) = last_missed {
                    sleep_until(last + MIN_INTERVAL).await;
                }
            };
            tokio::select! {
                () = sleep(jittered(pause)) => {}
                () = missed => last_missed = Some(Instant::now()),
            }
        }
    }

    fn publish_keys(&self, keys: PublicKeys) {
        let is_new = self.publish.borrow().as_deref() != Some(&keys);
        if is_new {
            tracing::info!(keys = keys.len(), server = self.server.name(), "token keys are here");
            self.publish.send_replace(Some(Arc::new(keys)));
        }
    }
}

fn backoff(failures: u32) -> Duration {
    INITIAL_BACKOFF.saturating_mul(1 << failures.min(6)).min(MAX_BACKOFF)
}

/// Ninety to a hundred per cent of a pause, so that replicas do not fetch in step.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or_default();
    pause.mul_f64(0.9 + 0.1 * f64::from(random) / f64::from(u32::MAX))
}
