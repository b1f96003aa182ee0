//! One log line for many refusals by a limit (rate limit of the log): a refused client retries at
//! once, and must not fill the log.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The window in which refusals by one limit share a line.
const WINDOW: Duration = Duration::from_secs(10);

/// The limits that refuse calls, streams and connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Connections,
    ConnectionsPerAddress,
    /// An idle connection was evicted for another.
    Evictions,
    Calls,
    CallsPerAddress,
    Bodies,
    BodiesPerAddress,
    Streams,
    StreamsPerAddress,
    PublicStreams,
    PublicStreamsPerAddress,
}

/// The names of the limits in the log: the setting, where there is one.
const LIMITS: [(Limit, &str); 11] = [
    (Limit::Connections, "MAX_CONNECTIONS"),
    (Limit::ConnectionsPerAddress, "MAX_CONNECTIONS_PER_ADDRESS"),
    (Limit::Evictions, "idle connections closed to make room"),
    (Limit::Calls, "MAX_CALLS"),
    (Limit::CallsPerAddress, "MAX_CALLS_PER_ADDRESS"),
    (Limit::Bodies, "bodies waited for, by MAX_CALLS"),
    (Limit::BodiesPerAddress, "bodies waited for, by MAX_CALLS_PER_ADDRESS"),
    (Limit::Streams, "MAX_STREAMS"),
    (Limit::StreamsPerAddress, "MAX_STREAMS_PER_ADDRESS"),
    (Limit::PublicStreams, "streams without a token"),
    (Limit::PublicStreamsPerAddress, "streams without a token, of one address"),
];

/// The refusals, by limit.
#[derive(Clone, Default)]
pub struct RefusalLog(Arc<Mutex<[Row; LIMITS.len()]>>);

/// Refusals by one limit.
#[derive(Clone, Copy, Default)]
struct Row {
    /// Refusals that are not logged yet.
    unlogged: u64,
    /// The client of the last refusal.
    client: Option<IpAddr>,
    logged_at: Option<Instant>,
}

impl Row {
    /// The number to log now; `None` within the window.
    fn due(&mut self) -> Option<u64> {
        let is_due = self.logged_at.is_none_or(|logged_at| logged_at.elapsed() >= WINDOW);
        if self.unlogged == 0 || !is_due {
            return None;
        }
        self.logged_at = Some(Instant::now());
        Some(std::mem::take(&mut self.unlogged))
    }
}

impl RefusalLog {
    /// Counts a refusal of `client`, and logs it unless a line was written within the window.
    pub fn record(&self, limit: Limit, client: Option<IpAddr>) {
        self.update(|known, row| {
            if known == limit {
                row.unlogged += 1;
                row.client = client;
            }
        });
    }

    /// Logs what was counted since the last line, periodically. Never ends.
    pub async fn report(self) {
        loop {
            tokio::time::sleep(WINDOW).await;
            self.update(|_, _| {});
        }
    }

    fn update(&self, mut change: impl FnMut(Limit, &mut Row)) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((limit, words), row) in LIMITS.iter().zip(rows.iter_mut()) {
            change(*limit, row);
            if let Some(count) = row.due() {
                let client = row.client.map(tracing::field::display);
                tracing::warn!(limit = words, count, client, "a limit is reached");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_one_row() {
        for (at, (limit, _)) in LIMITS.iter().enumerate() {
            assert_eq!(*limit as usize, at);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_refusal_is_logged_at_once_and_the_others_together() {
        let mut row = Row { unlogged: 1, ..Row::default() };
        assert_eq!(row.due(), Some(1));
        row.unlogged += 1000;
        assert_eq!(row.due(), None, "just told");
        tokio::time::advance(WINDOW).await;
        assert_eq!(row.due(), Some(1000));
        tokio::time::advance(WINDOW).await;
        assert_eq!(row.due(), None, "nothing new");
    }
}
