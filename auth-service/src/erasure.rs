//! What is kept elsewhere of a user goes when the account has gone.
//!
//! A deletion leaves an order in the database, in its own transaction, and this job carries
//! it out: it asks task-service until that says that nothing is left. Every replica has the
//! job. An order is lent to one of them for a moment; where that one dies, or is slow, another
//! does the same again, which is harmless.
//!
//! Access tokens outlive the account. So once they have all expired it is done again, and
//! only then the order is done: what was written in between does not stay. That there was
//! one is kept, as a backup of task-service's database can bring the tasks back.

mod restored;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use futures_util::future::join_all;
use shared::{auth::UserId, clock::Clock};
use tokio::{sync::Notify, time::timeout};

use crate::{
    entity::erasure,
    error::Error,
    peer::TaskService,
    random,
    store::{NewErasure, Store},
};

/// How many orders are carried out at a time.
const AT_ONCE: u64 = 8;

/// How long an order is lent: longer than a call to task-service takes.
const LEASE: TimeDelta = TimeDelta::seconds(6);

/// How often to look at least: an order of another replica may have been given back.
const PERIOD: Duration = Duration::from_secs(2);

/// How long to wait after a failure, at first and at most. Whoever is back is asked within
/// that.
const BACK_OFF: Duration = Duration::from_millis(200);
const MAX_BACK_OFF: Duration = Duration::from_secs(4);

/// Clocks differ.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// Gives and carries out orders to erase.
#[derive(Clone)]
pub struct Erasures {
    store: Store,
    clock: Arc<dyn Clock>,
    tokens_live: TimeDelta,
    given: Arc<Notify>,
}

impl Erasures {
    /// Orders in `store`. What an access token has begun has ended after `tokens_live`.
    pub fn new(store: Store, tokens_live: Duration, clock: Arc<dyn Clock>) -> Self {
        let longest = TimeDelta::days(3650);
        let tokens_live = TimeDelta::from_std(tokens_live).unwrap_or(longest).min(longest);
        Self { store, clock, tokens_live, given: Arc::default() }
    }

    /// An order for an account that is deleted now.
    pub fn order(&self) -> NewErasure {
        let requested_at = self.now();
        NewErasure { requested_at, last_at: requested_at + self.tokens_live + MARGIN }
    }

    /// Tells that an order was given. Who is not told finds it all the same, a little later.
    pub fn wake(&self) {
        self.given.notify_one();
    }

    /// Carries out what is ordered, for as long as it is polled.
    pub async fn carry_out(self, tasks: TaskService) {
        let mut failures = 0_u32;
        loop {
            let pause = match self.look(&tasks).await {
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
                    back_off(failures)
                }
            };
            // Too early or not, the next thing is to look.
            let _ = timeout(pause, self.given.notified()).await;
        }
    }

    /// Carries out what is due, or tells how long nothing will be, as far as is known. The
    /// first error is told when all others have gone as they should.
    async fn look(&self, tasks: &TaskService) -> Result<Option<Duration>, Error> {
        let now = self.now();
        // While none is due nothing is written.
        let Some(next) = self.store.next_erasure().await? else { return Ok(Some(PERIOD)) };
        if next > now {
            let left = (next - now).to_std().unwrap_or(PERIOD);
            return Ok(Some(left.min(PERIOD)));
        }
        let taken = self.store.claim_erasures(now, now + LEASE, AT_ONCE).await?;
        if taken.is_empty() {
            // Somebody else was quicker.
            return Ok(Some(BACK_OFF));
        }
        let carried_out = taken.iter().map(|order| self.carry_out_one(order, tasks));
        join_all(carried_out).await.into_iter().collect::<Result<(), Error>>()?;
        Ok(None)
    }

    async fn carry_out_one(
        &self,
        order: &erasure::Model,
        tasks: &TaskService,
    ) -> Result<(), Error> {
        if self.store.user(&order.user_id).await?.is_some() {
            let id = &order.user_id;
            tracing::warn!(user.id = id, "a deleted user's id is in use again: its tasks stay");
            return Ok(self.store.forget_erasure(order).await?);
        }
        // Who cannot be named in a token has nothing elsewhere.
        let Ok(user) = UserId::parse(&order.user_id) else {
            return Ok(self.store.forget_erasure(order).await?);
        };
        let asked_at = self.now();
        match tasks.purge(&user).await {
            Ok(true) if asked_at >= order.last_at => self.store.finish_erasure(order).await?,
            Ok(true) => self.store.note_erasure(order, asked_at).await?,
            Ok(false) => self.store.put_off_erasure(order, asked_at).await?,
            Err(fault) => {
                let attempts = u32::try_from(order.attempts).unwrap_or(u32::MAX);
                let pause = TimeDelta::from_std(back_off(attempts)).unwrap_or(LEASE);
                self.store.put_off_erasure(order, self.now() + pause).await?;
                return Err(fault.into());
            }
        }
        Ok(())
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(3)
    }
}

/// How long to wait after so many failures in a row. Half of it is chance, so that replicas
/// do not all come at once.
fn back_off(failures: u32) -> Duration {
    let longest = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    let longest = BACK_OFF.saturating_mul(longest).min(MAX_BACK_OFF);
    let [chance] = random::bytes().unwrap_or([u8::MAX]);
    longest / 2 + longest.mul_f64(f64::from(chance) / 510.0)
}

#[cfg(test)]
#[path = "erasure_tests.rs"]
mod carried_out;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_are_never_the_same_for_all() {
        let range = |failures| {
            let pauses: Vec<_> = (0..200).map(|_| back_off(failures)).collect();
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
