//! The log lines of refused calls (sampling): the first of a second show what goes wrong, and a
//! flood of them must neither fill the log nor cost more than the refusals themselves.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The window in which lines are counted.
const WINDOW: Duration = Duration::from_secs(1);

/// The lines of a window for one status.
const LINES: u64 = 10;

/// The mark of a response that is not logged, since its cause is: refusals by a limit in aggregate
/// (see `refusal_log`), readiness when it changes.
#[derive(Clone)]
pub struct AlreadyLogged;

/// The refused calls of the window, by HTTP status or gRPC code.
#[derive(Clone, Default)]
pub struct RefusedCalls(Arc<Mutex<HashMap<u16, Calls>>>);

struct Calls {
    window: Instant,
    count: u64,
}

impl RefusedCalls {
    /// Counts a call refused with `status`. Whether it gets a line, and then the number of calls
    /// since the last line that got none.
    pub fn sample(&self, status: u16) -> Option<u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let calls = all.entry(status).or_insert(Calls { window: now, count: 0 });
        let mut unlogged = 0;
        if now.duration_since(calls.window) >= WINDOW {
            unlogged = calls.count.saturating_sub(LINES);
            *calls = Calls { window: now, count: 0 };
        }
        calls.count += 1;
        (calls.count <= LINES).then_some(unlogged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_calls_of_a_second_get_a_line_and_the_others_are_counted() {
        let calls = RefusedCalls::default();
        let lines = |count: u64| (0..count).filter_map(|_| calls.sample(401)).collect::<Vec<_>>();
        assert_eq!(lines(1000), [0; 10]);
        assert_eq!(calls.sample(404), Some(0), "another status has its own lines");
        tokio::time::advance(WINDOW).await;
        assert_eq!(lines(3), [990, 0, 0]);
        tokio::time::advance(WINDOW).await;
        assert_eq!(lines(1), [0], "none was left out");
    }
}
