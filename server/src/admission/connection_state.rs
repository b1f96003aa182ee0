//! What one connection is doing: whether a call is in progress on it, since when there is
//! none, and whether it was asked to make room for another.

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
    leaves_at_once: AtomicBool,
}

impl ConnectionState {
    /// A connection that was accepted just now, and has asked for nothing.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            accepted: Instant::now(),
            calls: AtomicUsize::new(0),
            has_called: AtomicBool::new(false),
            idle_since: AtomicU64::new(0),
            evicted: Notify::new(),
            leaves_at_once: AtomicBool::new(false),
        })
    }

    /// Notes a call of any kind, also one that keeps nothing in progress.
    pub fn touch(&self) {
        self.has_called.store(true, Ordering::Relaxed);
        let elapsed = u64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.idle_since.store(elapsed, Ordering::Relaxed);
    }

    /// A call is in progress until what is returned is dropped.
    pub fn begin_call(self: &Arc<Self>) -> CallInProgress {
        let is_only = self.calls.fetch_add(1, Ordering::Relaxed) == 0;
        CallInProgress { connection: self.clone(), is_only }
    }

    /// Whether there ever was a call.
    pub fn has_called(&self) -> bool {
        self.has_called.load(Ordering::Relaxed)
    }

    /// Since when no call is in progress; `None` while one is.
    pub fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.calls.load(Ordering::Relaxed) == 0;
        let since = Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
        is_idle.then(|| self.accepted + since)
    }

    /// Asks the connection to make room; `at_once`: without a word to its peer.
    pub fn evict(&self, at_once: bool) {
        self.leaves_at_once.store(at_once, Ordering::Relaxed);
        self.evicted.notify_one();
    }

    /// Waits to be asked to make room, and tells whether to do so at once.
    pub async fn evicted(&self) -> bool {
        self.evicted.notified().await;
        self.leaves_at_once.load(Ordering::Relaxed)
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
