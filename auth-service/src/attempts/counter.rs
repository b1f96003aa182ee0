//! Where attempts are counted. Whatever the place, the same are taken and refused.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use shared::clock::Clock;

use super::{
    key::Key,
    limit::{Limit, Verdict},
    memory::Memory,
    redis::Redis,
    settings::AttemptStore,
};
use crate::store::{DatabaseError, Store, Taken};

/// One of the places.
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

/// Where an attempt left its key, by the clock that it was counted by.
enum Due {
    Memory(i64),
    Table(DateTime<Utc>),
    Redis(i64),
}

#[cfg(test)]
impl Attempt {
    /// The same, counted so much earlier, where that is not by a clock of the test's.
    pub fn earlier(mut self, by: Duration) -> Self {
        match &mut self.due {
            Due::Memory(_) => {}
            Due::Table(due) => *due -= by,
            Due::Redis(due) => *due -= i64::try_from(by.as_micros()).expect("a short time"),
        }
        self
    }
}

/// Whether one more attempt was left.
pub enum Outcome {
    Taken(Attempt),
    Refused { wait: Duration },
}

impl Counter {
    /// The place that the settings name; `auto` is the database if it can be shared.
    pub fn new(place: &AttemptStore, store: &Store, clock: Arc<dyn Clock>) -> Self {
        match place {
            AttemptStore::Auto if store.is_shared() => Self::Table(Box::new(store.clone())),
            AttemptStore::Auto | AttemptStore::Memory => Self::Memory(Arc::new(Memory::new(clock))),
            AttemptStore::Redis(client) => {
                Self::Redis(Arc::new(Redis::new(client.clone(), Memory::new(clock))))
            }
        }
    }

    /// Counts an attempt, if one is left.
    pub async fn take(&self, key: Key, limit: Limit) -> Result<Outcome, DatabaseError> {
        let taken = |due| Outcome::Taken(Attempt { key, limit, due });
        let in_memory = |verdict| match verdict {
            Verdict::Taken { due } => taken(Due::Memory(due)),
            Verdict::Refused { wait, .. } => Outcome::Refused { wait },
        };
        Ok(match self {
            Self::Memory(memory) => in_memory(memory.take(key, limit)),
            Self::Table(store) => match store.take_attempt(key, limit).await? {
                Taken::Yes { due } => taken(Due::Table(due)),
                Taken::No { ahead } => Outcome::Refused { wait: limit.wait(ahead, 0) },
            },
            Self::Redis(redis) => match redis.take(key, limit).await {
                Some(Verdict::Taken { due }) => taken(Due::Redis(due)),
                Some(Verdict::Refused { wait, .. }) => Outcome::Refused { wait },
                None => in_memory(redis.instead().take(key, limit)),
            },
        })
    }

    /// Takes an attempt back. One that cannot be is forgotten in time, like any other.
    pub async fn give_back(&self, attempt: Attempt) {
        let Attempt { key, limit, due } = attempt;
        match (self, due) {
            (Self::Memory(memory), Due::Memory(due)) => memory.give_back(key, limit, due),
            (Self::Table(store), Due::Table(due)) => {
                if let Err(error) = store.give_attempt_back(key, limit, due).await {
                    tracing::debug!(%error, "an attempt was not given back");
                }
            }
            (Self::Redis(redis), Due::Redis(due)) => redis.give_back(key, limit, due).await,
            (Self::Redis(redis), Due::Memory(due)) => redis.instead().give_back(key, limit, due),
            _ => {}
        }
    }

    /// Removes what is forgotten, where it does not go by itself. What lies further ahead
    /// than `longest` is the trace of a clock that was set back.
    pub async fn sweep(&self, longest: Duration) {
        if let Self::Table(store) = self {
            match store.sweep_attempts(longest).await {
                Ok(removed) => tracing::debug!(removed, "forgotten attempts swept"),
                Err(error) => tracing::warn!(%error, "cannot sweep forgotten attempts"),
            }
        }
    }
}
