//! The counter of a rate limit: in memory, in a table or in Redis, with the same results.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use shared::clock::Clock;

use super::{
    gcra::{Decision, Limit},
    key::Key,
    memory::Memory,
    redis::Redis,
    settings::RateLimitStore,
};
use crate::store::{DatabaseError, Store, Taken};

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

/// The result of an attempt.
pub enum Outcome {
    Taken(Attempt),
    Refused { wait: Duration },
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

    /// Counts an attempt, if one is left.
    pub async fn take(&self, key: Key, limit: Limit) -> Result<Outcome, DatabaseError> {
        let taken = |due| Outcome::Taken(Attempt { key, limit, due });
        let in_memory = |decision| match decision {
            Decision::Taken { due } => taken(Due::Memory(due)),
            Decision::Refused { wait, .. } => Outcome::Refused { wait },
        };
        Ok(match self {
            Self::Memory(memory) => in_memory(memory.take(key, limit)),
            Self::Table(store) => {
                match store.take_attempt(&key.to_string(), limit.interval(), limit.slack()).await? {
                    Taken::Yes { due } => taken(Due::Table(due)),
                    Taken::No { ahead } => Outcome::Refused { wait: limit.wait(ahead, 0) },
                }
            }
            Self::Redis(redis) => match redis.take(key, limit).await {
                Some(Decision::Taken { due }) => taken(Due::Redis(due)),
                Some(Decision::Refused { wait, .. }) => Outcome::Refused { wait },
                None => in_memory(redis.fallback().take(key, limit)),
            },
        })
    }

    /// Refunds an attempt. If that fails, the attempt expires in time like any other.
    pub async fn refund(&self, attempt: Attempt) {
        let Attempt { key, limit, due } = attempt;
        match (self, due) {
            (Self::Memory(memory), Due::Memory(due)) => memory.refund(key, limit, due),
            (Self::Table(store), Due::Table(due)) => {
                if let Err(error) =
                    store.refund_attempt(&key.to_string(), limit.interval(), due).await
                {
                    tracing::debug!(%error, "an attempt was not refunded");
                }
            }
            (Self::Redis(redis), Due::Redis(due)) => redis.refund(key, limit, due).await,
            (Self::Redis(redis), Due::Memory(due)) => redis.fallback().refund(key, limit, due),
            _ => {}
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
