//! The one job that fetches keys.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{
    document::PublicKeys,
    server::{FetchFault, KeyServer},
};

/// How often tokens with unknown names can make it look, all of them together.
pub(super) const ASKED_AT_MOST: Duration = Duration::from_secs(30);

/// The pause after a first failure. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Where to look, how often, and whom to tell.
pub(super) struct Refresh {
    pub server: KeyServer,
    pub period: Duration,
    pub publish: watch::Sender<Option<Arc<PublicKeys>>>,
    pub missed: Arc<Notify>,
}

impl Refresh {
    /// Fetches at once, then after each period, and sooner where a name was missed. What
    /// was fetched last stays until something better comes.
    pub(super) async fn forever(&self) {
        self.warn_if_exposed();
        self.fetching(|| self.server.fetch()).await;
    }

    fn warn_if_exposed(&self) {
        if self.server.is_exposed() {
            tracing::warn!(
                server = self.server.name(),
                "token keys come over plain HTTP: whoever is on the way can replace them"
            );
        }
    }

    /// One fetch after the other, never two at once.
    pub(super) async fn fetching<F>(&self, fetch: impl Fn() -> F)
    where
        F: Future<Output = Result<PublicKeys, FetchFault>>,
    {
        let mut failures = 0;
        let mut asked_last: Option<Instant> = None;
        loop {
            let pause = match fetch().await {
                Ok(keys) => {
                    failures = 0;
                    self.tell(keys);
                    self.period
                }
                Err(reason) => {
                    let pause = back_off(failures);
                    failures += 1;
                    let server = self.server.name();
                    tracing::warn!(server, %reason, failures, "cannot fetch token keys");
                    pause.min(self.period)
                }
            };
            let missed = async {
                self.missed.notified().await;
                if let Some(last) = asked_last {
                    sleep_until(last + ASKED_AT_MOST).await;
                }
            };
            tokio::select! {
                () = sleep(spread(pause)) => {}
                () = missed => asked_last = Some(Instant::now()),
            }
        }
    }

    fn tell(&self, keys: PublicKeys) {
        let is_new = self.publish.borrow().as_deref() != Some(&keys);
        if is_new {
            tracing::info!(keys = keys.len(), server = self.server.name(), "token keys are here");
            self.publish.send_replace(Some(Arc::new(keys)));
        }
    }
}

fn back_off(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.min(6)).min(LONGEST_PAUSE)
}

/// Ninety to a hundred per cent of a pause, so that replicas do not ask as one.
fn spread(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or_default();
    pause.mul_f64(0.9 + 0.1 * f64::from(random) / f64::from(u32::MAX))
}
