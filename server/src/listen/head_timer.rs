//! The timer of HTTP/1.1 requests: one time limit between two of them (keep-alive), another for
//! the head of one, from its first byte on.
//!
//! hyper has one time limit for both. Its timer is to measure the head; this one starts with the
//! head's first byte, and reports the idle time before it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;

/// The value for "between requests: no".
const NOT_WAITING: u64 = 0;

/// The head timer of one connection.
#[derive(Clone)]
pub struct HeadTimer(Arc<Inner>);

struct Inner {
    head: Duration,
    accepted: Instant,
    /// Whether a head was read before.
    is_used: AtomicBool,
    /// The time since which the next request is awaited: in milliseconds after `accepted`, plus
    /// one.
    waiting_since: AtomicU64,
}

impl HeadTimer {
    /// A timer with this limit for a head.
    pub fn new(head: Duration) -> Self {
        let (is_used, waiting_since) = (AtomicBool::new(false), AtomicU64::new(NOT_WAITING));
        Self(Arc::new(Inner { head, accepted: Instant::now(), is_used, waiting_since }))
    }

    /// Records that the client has sent bytes.
    pub fn on_bytes(&self) {
        self.0.waiting_since.store(NOT_WAITING, Ordering::Relaxed);
    }

    /// Whether the connection uses HTTP/1.1.
    pub fn is_used(&self) -> bool {
        self.0.is_used.load(Ordering::Relaxed)
    }

    /// The idle time since the last response; `None` during a request.
    pub fn idle(&self) -> Option<Duration> {
        let since = self.0.waiting_since.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.0.accepted.elapsed().saturating_sub(Duration::from_millis(since)))
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep(duration)
    }

    /// Called when the next head is to be read, at the end of the previous request.
    fn sleep_until(&self, _deadline: Instant) -> Pin<Box<dyn Sleep>> {
        // The first head has begun already: its bytes distinguished HTTP/1.1 from HTTP/2.
        if self.0.is_used.swap(true, Ordering::Relaxed) {
            let elapsed = self.0.accepted.elapsed().as_millis();
            let since = u64::try_from(elapsed).unwrap_or(u64::MAX - 1);
            self.0.waiting_since.store(since + 1, Ordering::Relaxed);
        }
        Box::pin(Head { timer: self.clone(), end: None })
    }
}

/// The deadline of one head. Polled whenever bytes arrive.
struct Head {
    timer: HeadTimer,
    /// `None` before its first byte.
    end: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Future for Head {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.end.is_none() {
            if self.timer.idle().is_some() {
                return Poll::Pending;
            }
            self.end = Some(Box::pin(tokio::time::sleep(self.timer.0.head)));
        }
        self.end.as_mut().map_or(Poll::Pending, |end| end.as_mut().poll(cx))
    }
}

impl Sleep for Head {}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_from_its_first_byte_on() {
        let head = Duration::from_secs(10);
        let timer = HeadTimer::new(head);
        let start = tokio::time::Instant::now();
        assert!(!timer.is_used());
        timer.sleep_until(Instant::now()).await;
        assert_eq!(start.elapsed(), head, "the first has begun");
        assert!(timer.is_used() && timer.idle().is_none());

        let mut second = timer.sleep_until(Instant::now());
        tokio::time::advance(head * 2).await;
        assert!(second.as_mut().now_or_never().is_none() && timer.idle().is_some());
        timer.on_bytes();
        assert!(timer.idle().is_none());
        let start = tokio::time::Instant::now();
        second.await;
        assert_eq!(start.elapsed(), head);
    }
}
