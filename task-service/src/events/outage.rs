//! Outages of the database, which streams outlast: their heartbeats go on, and once the database
//! answers they read on from their cursors.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep_until, timeout_at};

use crate::error::Error;

/// The longest outage that a stream outlasts: a fail-over takes half a minute.
const LONGEST: Duration = Duration::from_mins(1);

/// The time limit of a read, with its wait for others. Heartbeats wait for no more than that.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// The pause after a failed read.
const PAUSE: Duration = Duration::from_secs(1);

/// The outage of the database as one stream sees it, if there is one.
#[derive(Default)]
pub struct Outage(Option<Failures>);

/// The reads that have failed without one that succeeded.
struct Failures {
    since: Instant,
    last: Instant,
}

impl Outage {
    /// Whether the last read failed.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The result of `read`; `None` while the database is away, by the time of the next `beat`. An
    /// error is the end: it is of another kind, or the outage is too long.
    pub async fn read<T>(
        &mut self,
        beat: Instant,
        read: impl Future<Output = Result<T, Error>>,
    ) -> Result<Option<T>, Error> {
        let mut limit = Instant::now() + READ_LIMIT;
        if let Some(Failures { last, .. }) = self.0 {
            sleep_until(beat.min(last + PAUSE)).await;
            if Instant::now() >= beat {
                return Ok(None);
            }
            limit = beat.min(Instant::now() + READ_LIMIT);
        }
        let begun = Instant::now();
        let done = timeout_at(limit, read).await;
        let error = match done.unwrap_or_else(|_elapsed| Err(Error::no_answer())) {
            Ok(found) => {
                self.0 = None;
                return Ok(Some(found));
            }
            Err(error) => error,
        };
        let since = self.0.as_ref().map_or(begun, |failures| failures.since);
        if !error.is_outage() || since.elapsed() >= LONGEST {
            return Err(error);
        }
        self.0 = Some(Failures { since, last: Instant::now() });
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use shared::error::{Classified, Kind, Refusal};

    use super::*;

    const PERIOD: Duration = Duration::from_secs(15);

    fn away<T>() -> Result<T, Error> {
        Err(Error::no_answer())
    }

    /// Reads until the end, with a heartbeat where it is time; how long that took, and the beats.
    async fn end_of(mut read: impl AsyncFnMut() -> Result<(), Error>) -> (Error, Duration, u32) {
        let (start, mut outage, mut beats) = (Instant::now(), Outage::default(), 0);
        let mut beat = start + PERIOD;
        loop {
            match outage.read(beat, read()).await {
                Ok(None) if Instant::now() >= beat => {
                    beats += 1;
                    beat = Instant::now() + PERIOD;
                }
                Ok(None) => {}
                Ok(Some(())) => panic!("no read succeeds"),
                Err(error) => return (error, start.elapsed(), beats),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn heartbeats_go_on_for_a_minute_whether_the_database_refuses_or_is_silent() {
        let (error, after, beats) = end_of(async || away()).await;
        assert_eq!(error.class(), Kind::Unavailable.into());
        assert_eq!((after.as_secs(), beats), (60, 4));
        let (error, after, beats) = end_of(pending::<Result<(), Error>>).await;
        assert_eq!(error.class(), Kind::Unavailable.into());
        assert!((60..=75).contains(&after.as_secs()) && beats >= 3, "{after:?}, {beats} beats");
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_that_succeeds_ends_the_outage() {
        let mut outage = Outage::default();
        for _ in 0..50 {
            let beat = Instant::now() + PERIOD;
            assert!(matches!(outage.read(beat, ready(away::<u8>())).await, Ok(None)));
            assert!(outage.is_on());
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert!(matches!(outage.read(beat, ready(Ok(7))).await, Ok(Some(7))));
            assert!(!outage.is_on());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn other_errors_end_a_stream_at_once() {
        let (error, after, _) = end_of(async || Err(Refusal::SyncTokenTooOld.into())).await;
        assert_eq!((error.class(), after), (Refusal::SyncTokenTooOld.into(), Duration::ZERO));
    }
}
