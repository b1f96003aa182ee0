//! The counter of a rate limit: in memory, in a table or in Redis, with the same results.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use shared::clock::Clock;

use super::{
    gcra::{Decision, Limit},
    key::Key,
    memory::Memory,
    redis::Redis,
    settings::RateLimitStore,
};
use crate::store::{DatabaseError, Refunded, Store, Wanted};

/// The store that counts attempts.
#[derive(Clone)]
pub enum Counter {
    /// This process.
    Memory(Arc<Memory>),
    /// The database, which other replicas share.
    Table(Box<Store>),
    /// Redis, which other replicas share.
    Redis(Arc<Redis>),
}

/// An attempt that was counted.
pub struct Attempt {
    key: Key,
    limit: Limit,
    due: Due,
}

/// The time when all attempts of a key have expired, by the clock of the store.
enum Due {
    Memory(i64),
    Table(DateTime<Utc>),
    Redis(i64),
}

#[cfg(test)]
impl Attempt {
    /// The attempt as if counted earlier, in stores whose clock a test cannot set.
    pub fn earlier(mut self, by: Duration) -> Self {
        match &mut self.due {
            Due::Memory(_) => {}
            Due::Table(due) => *due -= by,
            Due::Redis(due) => *due -= i64::try_from(by.as_micros()).expect("a short time"),
        }
        self
    }
}

/// The result of attempts.
#[derive(Default)]
pub struct Outcomes {
    /// The attempts taken, with the places of their keys.
    pub taken: Vec<(usize, Attempt)>,
    /// The place of the first key that has none left, and how long until there is one.
    pub refused: Option<(usize, Duration)>,
}

impl Outcomes {
    /// Adds the decision about the next key: the end if that is refused.
    fn add(
        &mut self,
        key: Key,
        limit: Limit,
        decision: Decision,
        of: fn(i64) -> Due,
    ) -> ControlFlow<()> {
        let place = self.taken.len();
        match decision {
            Decision::Taken { due } => {
                self.taken.push((place, Attempt { key, limit, due: of(due) }));
                ControlFlow::Continue(())
            }
            Decision::Refused { wait, .. } => {
                self.refused = Some((place, wait));
                ControlFlow::Break(())
            }
        }
    }
}

impl Counter {
    /// The store that the settings name; `auto` is the database if replicas can share it.
    pub fn new(kind: &RateLimitStore, store: &Store, clock: Arc<dyn Clock>) -> Self {
        match kind {
            RateLimitStore::Auto if store.is_shared() => Self::Table(Box::new(store.clone())),
            RateLimitStore::Auto | RateLimitStore::Memory => {
                Self::Memory(Arc::new(Memory::new(clock)))
            }
            RateLimitStore::Redis(server) => {
                Self::Redis(Arc::new(Redis::new(server.clone(), Memory::new(clock))))
            }
        }
    }

    /// Counts an attempt of each key in order, up to the first that has none left. No key may
    /// occur twice. After an error none is counted.
    pub async fn take(&self, wanted: &[(Key, Limit)]) -> Result<Outcomes, DatabaseError> {
        let mut outcomes = Outcomes::default();
        match self {
            Self::Memory(memory) => {
                for (key, limit) in wanted {
                    let decision = memory.take(*key, *limit);
                    if outcomes.add(*key, *limit, decision, Due::Memory).is_break() {
                        break;
                    }
                }
            }
            Self::Redis(redis) => {
                for (key, limit) in wanted {
                    let (decision, due): (_, fn(i64) -> Due) = match redis.take(*key, *limit).await
                    {
                        Some(decision) => (decision, Due::Redis),
                        None => (redis.fallback().take(*key, *limit), Due::Memory),
                    };
                    if outcomes.add(*key, *limit, decision, due).is_break() {
                        break;
                    }
                }
            }
            Self::Table(store) => {
                let rows: Vec<_> = wanted
                    .iter()
                    .map(|(key, limit)| Wanted {
                        key: key.to_string(),
                        interval: limit.interval(),
                        slack: limit.slack(),
                    })
                    .collect();
                let counted = store.take_attempts(&rows).await?;
                let taken = counted.due.into_iter().map(|(place, due)| {
                    let (key, limit) = wanted[place];
                    (place, Attempt { key, limit, due: Due::Table(due) })
                });
                outcomes.taken.extend(taken);
                outcomes.refused =
                    counted.refused.map(|(place, ahead)| (place, wanted[place].1.wait(ahead, 0)));
            }
        }
        Ok(outcomes)
    }

    /// Refunds attempts. If that fails, they expire in time like any other.
    pub async fn refund(&self, attempts: Vec<Attempt>) {
        let mut in_table = Vec::new();
        for Attempt { key, limit, due } in attempts {
            match (self, due) {
                (Self::Memory(memory), Due::Memory(due)) => memory.refund(key, limit, due),
                (Self::Table(_), Due::Table(due)) => {
                    in_table.push(Refunded {
                        key: key.to_string(),
                        interval: limit.interval(),
                        due,
                    });
                }
                (Self::Redis(redis), Due::Redis(due)) => redis.refund(key, limit, due).await,
                (Self::Redis(redis), Due::Memory(due)) => redis.fallback().refund(key, limit, due),
                _ => {}
            }
        }
        if let Self::Table(store) = self
            && !in_table.is_empty()
            && let Err(error) = store.refund_attempts(&in_table).await
        {
            tracing::debug!(%error, "attempts were not refunded");
        }
    }

    /// Removes expired keys from a table. A time further ahead than `longest` was left by a clock
    /// that was set back.
    pub async fn remove_expired(&self, longest: Duration) {
        if let Self::Table(store) = self {
            match store.remove_expired_attempts(longest).await {
                Ok(removed) => tracing::debug!(removed, "expired attempts removed"),
                Err(error) => tracing::warn!(%error, "cannot remove expired attempts"),
            }
        }
    }
}
