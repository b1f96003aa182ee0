//! One line of the log for many refusals: whoever is refused comes again at once, and must
//! not fill the log at a pace of its own.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Refusals by the same limit within this time are told in one line.
const WINDOW: Duration = Duration::from_secs(10);

/// Why something was refused, or had to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Connections,
    ConnectionsPerAddress,
    /// An idle connection was closed for another.
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

/// Each of them, with the words for it. Where there is a setting, they name it.
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

/// What was refused, by limit.
#[derive(Clone, Default)]
pub struct RefusalLog(Arc<Mutex<[Row; LIMITS.len()]>>);

/// Refusals by one limit.
#[derive(Clone, Copy, Default)]
struct Row {
    /// Those that no line has told of.
    untold: u64,
    /// Of whom the last one was.
    client: Option<IpAddr>,
    told: Option<Instant>,
}

impl Row {
    /// How many to tell of now; none soon after the last line.
    fn due(&mut self) -> Option<u64> {
        let is_due = self.told.is_none_or(|told| told.elapsed() >= WINDOW);
        if self.untold == 0 || !is_due {
            return None;
        }
        self.told = Some(Instant::now());
        Some(std::mem::take(&mut self.untold))
    }
}

impl RefusalLog {
    /// Counts a refusal of `client`, and tells of it unless a line was written just now.
    pub fn record(&self, limit: Limit, client: Option<IpAddr>) {
        self.each(|known, row| {
            if known == limit {
                row.untold += 1;
                row.client = client;
            }
        });
    }

    /// Tells of what was counted since the last line. Never ends.
    pub async fn report(self) {
        loop {
            tokio::time::sleep(WINDOW).await;
            self.each(|_, _| {});
        }
    }

    fn each(&self, mut change: impl FnMut(Limit, &mut Row)) {
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
    async fn the_first_refusal_is_told_at_once_and_the_others_together() {
        let mut row = Row { untold: 1, ..Row::default() };
        assert_eq!(row.due(), Some(1));
        row.untold += 1000;
        assert_eq!(row.due(), None, "just told");
        tokio::time::advance(WINDOW).await;
        assert_eq!(row.due(), Some(1000));
        tokio::time::advance(WINDOW).await;
        assert_eq!(row.due(), None, "nothing new");
    }
}
