//! The ages at which connections are closed.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Weak,
    time::{Duration, Instant},
};

use super::{IdleConnection, Inner};

/// The ages at which connections are closed.
#[derive(Clone, Copy)]
pub struct MaxAge {
    pub lifetime: Duration,
    pub idle: Duration,
}

impl MaxAge {
    /// The end of a connection that opens now: up to a tenth before its age, so that those that
    /// opened together are not closed together.
    pub(super) fn end(self) -> Instant {
        let part = u32::try_from(RandomState::new().hash_one(()) % 1000).unwrap_or_default();
        Instant::now() + self.lifetime / 10_000 * (10_000 - part)
    }
}

/// Whether a lifetime with this end is over.
pub(super) fn is_over(end: Option<Instant>) -> bool {
    end.is_some_and(|end| Instant::now() >= end)
}

/// Closes idle connections at their age, while the pool is in use.
pub(super) async fn close_aged(pool: Weak<Inner>, max_age: MaxAge) {
    loop {
        tokio::time::sleep(max_age.idle.min(max_age.lifetime) / 10).await;
        let Some(pool) = pool.upgrade() else { return };
        let is_aged =
            |one: &mut IdleConnection| one.since.elapsed() >= max_age.idle || is_over(one.end);
        let aged: Vec<_> = pool.idle().all.extract_if(.., is_aged).collect();
        for IdleConnection { connection, .. } in aged {
            let _ = connection.close().await;
        }
    }
}
