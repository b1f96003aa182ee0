//! The state of a connection: calls in progress, idle time, eviction.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// The state of one connection, from its acceptance on.
pub struct ConnectionState {
    accepted: Instant,
    calls: AtomicUsize,
    has_called: AtomicBool,
    /// In milliseconds after `accepted`.
    idle_since: AtomicU64,
    evicted: Notify,
    closes_immediately: AtomicBool,
}

impl ConnectionState {
    /// The state of a connection that was just accepted.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            accepted: Instant::now(),
            calls: AtomicUsize::new(0),
            has_called: AtomicBool::new(false),
            idle_since: AtomicU64::new(0),
            evicted: Notify::new(),
            closes_immediately: AtomicBool::new(false),
        })
    }

    /// Records a call of any kind, also one without a permit.
    pub fn touch(&self) {
        self.has_called.store(true, Ordering::Relaxed);
        let elapsed = u64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.idle_since.store(elapsed, Ordering::Relaxed);
    }

    /// A guard for a call in progress.
    pub fn begin_call(self: &Arc<Self>) -> CallInProgress {
        let is_only = self.calls.fetch_add(1, Ordering::Relaxed) == 0;
        CallInProgress { connection: self.clone(), is_only }
    }

    /// Whether there was a call.
    pub fn has_called(&self) -> bool {
        self.has_called.load(Ordering::Relaxed)
    }

    /// The time since which no call is in progress; `None` during a call.
    pub fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.calls.load(Ordering::Relaxed) == 0;
        let since = Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
        is_idle.then(|| self.accepted + since)
    }

    /// Evicts the connection; `immediately`: without GOAWAY.
    pub fn evict(&self, immediately: bool) {
        self.closes_immediately.store(immediately, Ordering::Relaxed);
        self.evicted.notify_one();
    }

    /// Waits for the eviction; `true`: immediately.
    pub async fn evicted(&self) -> bool {
        self.evicted.notified().await;
        self.closes_immediately.load(Ordering::Relaxed)
    }
}

/// A call in progress on a connection.
pub struct CallInProgress {
    connection: Arc<ConnectionState>,
    is_only: bool,
}

impl CallInProgress {
    /// Whether there was no other when it began.
    pub fn is_only(&self) -> bool {
        self.is_only
    }
}

impl Drop for CallInProgress {
    fn drop(&mut self) {
        self.connection.touch();
        self.connection.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_from_the_end_of_its_last_call_on() {
        let start = Instant::now();
        let connection = ConnectionState::new();
        assert!(!connection.has_called());
        assert_eq!(connection.idle_since(), Some(start));
        tokio::time::advance(Duration::from_secs(3)).await;
        let (one, other) = (connection.begin_call(), connection.begin_call());
        assert!(one.is_only() && !other.is_only());
        drop(one);
        assert_eq!(connection.idle_since(), None);
        drop(other);
        assert!(connection.has_called());
        assert_eq!(connection.idle_since(), Some(start + Duration::from_secs(3)));
    }
}
