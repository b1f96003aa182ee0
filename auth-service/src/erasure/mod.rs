//! The erasure outbox: removes a deleted user's tasks from task-service.
//!
//! A deletion inserts an erasure in its own transaction, and this job carries it out: it calls
//! task-service until nothing is left. Every replica runs the job. An erasure is leased to one
//! replica at a time; if that one dies or is slow, another repeats it, which is harmless.
//!
//! Access tokens outlive the account, so the erasure is repeated once they have expired: what was
//! written in between does not stay. A finished erasure is kept, as a backup of task-service's
//! database can restore the tasks.

mod restored;
#[cfg(test)]
mod run_tests;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use futures_util::future::join_all;
use shared::{auth::UserId, clock::Clock};
use tokio::{sync::Notify, time::timeout};

use crate::{
    entity::erasure,
    error::Error,
    random,
    store::{NewErasure, Store},
    task_client::TaskClient,
};

/// How many erasures are carried out at a time.
const BATCH: u64 = 8;

/// The lease of an erasure: longer than a call to task-service takes.
const LEASE: TimeDelta = TimeDelta::seconds(6);

/// The longest poll interval: another replica may have released an erasure.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// The backoff after failures, at first and at most.
const MIN_BACKOFF: Duration = Duration::from_millis(200);
const MAX_BACKOFF: Duration = Duration::from_secs(4);

/// The margin for clock skew.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// The erasures of deleted users.
#[derive(Clone)]
pub struct Erasures {
    store: Store,
    clock: Arc<dyn Clock>,
    token_lifetime: TimeDelta,
    inserted: Arc<Notify>,
}

impl Erasures {
    /// Erasures in `store`. Calls with an access token end within `token_lifetime`.
    pub fn new(store: Store, token_lifetime: Duration, clock: Arc<dyn Clock>) -> Self {
        let longest = TimeDelta::days(3650);
        let token_lifetime = TimeDelta::from_std(token_lifetime).unwrap_or(longest).min(longest);
        Self { store, clock, token_lifetime, inserted: Arc::default() }
    }

    /// The erasure of an account that is deleted now.
    pub fn new_erasure(&self) -> NewErasure {
        let requested_at = self.now();
        NewErasure { requested_at, last_at: requested_at + self.token_lifetime + CLOCK_SKEW }
    }

    /// Wakes the job of this replica; others find the erasure by polling.
    pub fn wake(&self) {
        self.inserted.notify_one();
    }

    /// Carries out erasures. Never ends.
    pub async fn run(self, tasks: TaskClient) {
        let mut failures = 0_u32;
        loop {
            let pause = match self.poll(&tasks).await {
                Ok(None) => {
                    if failures > 0 {
                        tracing::info!("what is left of deleted users is removed again");
                    }
                    failures = 0;
                    continue;
                }
                Ok(Some(pause)) => pause,
                Err(error) => {
                    if failures == 0 {
                        let cause = shared::error::causes(&error);
                        tracing::warn!(cause, "cannot remove what is left of deleted users");
                    }
                    failures = failures.saturating_add(1);
                    backoff(failures)
                }
            };
            // Woken or timed out, the next step is to poll.
            let _ = timeout(pause, self.inserted.notified()).await;
        }
    }

    /// Carries out the due erasures, or returns how long to wait. The first error is returned
    /// after all others were carried out.
    async fn poll(&self, tasks: &TaskClient) -> Result<Option<Duration>, Error> {
        let now = self.now();
        // While none is due nothing is written.
        let Some(next) = self.store.next_erasure().await? else { return Ok(Some(POLL_INTERVAL)) };
        if next > now {
            let left = (next - now).to_std().unwrap_or(POLL_INTERVAL);
            return Ok(Some(left.min(POLL_INTERVAL)));
        }
        let taken = self.store.claim_erasures(now, now + LEASE, BATCH).await?;
        if taken.is_empty() {
            // Another replica was faster.
            return Ok(Some(MIN_BACKOFF));
        }
        let carried_out = taken.iter().map(|erasure| self.erase(erasure, tasks));
        join_all(carried_out).await.into_iter().collect::<Result<(), Error>>()?;
        Ok(None)
    }

    async fn erase(&self, erasure: &erasure::Model, tasks: &TaskClient) -> Result<(), Error> {
        if self.store.user(&erasure.user_id).await?.is_some() {
            let id = &erasure.user_id;
            tracing::warn!(user.id = id, "a deleted user's id is in use again: its tasks stay");
            return Ok(self.store.discard_erasure(erasure).await?);
        }
        // A user whose id fits no token has no tasks.
        let Ok(user) = UserId::parse(&erasure.user_id) else {
            return Ok(self.store.discard_erasure(erasure).await?);
        };
        let asked_at = self.now();
        match tasks.purge(&user).await {
            Ok(true) if asked_at >= erasure.last_at => self.store.finish_erasure(erasure).await?,
            Ok(true) => self.store.record_erasure(erasure, asked_at).await?,
            Ok(false) => self.store.postpone_erasure(erasure, asked_at).await?,
            Err(fault) => {
                let attempts = u32::try_from(erasure.attempts).unwrap_or(u32::MAX);
                let pause = TimeDelta::from_std(backoff(attempts)).unwrap_or(LEASE);
                self.store.postpone_erasure(erasure, self.now() + pause).await?;
                return Err(fault.into());
            }
        }
        Ok(())
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(3)
    }
}

/// The backoff after so many failures in a row. Half of it is jitter, so that replicas do not
/// call at once.
fn backoff(failures: u32) -> Duration {
    let longest = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    let longest = MIN_BACKOFF.saturating_mul(longest).min(MAX_BACKOFF);
    let [chance] = random::bytes().unwrap_or([u8::MAX]);
    longest / 2 + longest.mul_f64(f64::from(chance) / 510.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_are_never_the_same_for_all() {
        let range = |failures| {
            let pauses: Vec<_> = (0..200).map(|_| backoff(failures)).collect();
            let (least, most) = (pauses.iter().min(), pauses.iter().max());
            (*least.expect("some"), *most.expect("some"))
        };
        for (failures, longest) in [(1, 200), (2, 400), (3, 800), (6, 4_000), (u32::MAX, 4_000)] {
            let longest = Duration::from_millis(longest);
            let (least, most) = range(failures);
            assert!(least >= longest / 2 && most <= longest && least < most, "{failures}");
        }
    }
}
