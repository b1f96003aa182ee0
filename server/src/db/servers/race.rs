//! Attempts to connect to several servers side by side, in the manner of RFC 8305 ("Happy
//! Eyeballs"): a server that does not answer costs its head start instead of its time limit.

use std::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::sleep;

/// The time that an attempt has alone, before the next one begins beside it.
pub const HEAD_START: Duration = Duration::from_millis(300);

/// The pause before a server is asked again that was not fit, while another one does not answer:
/// it may be the one that takes over.
const REPEAT_PAUSE: Duration = Duration::from_millis(250);

/// The server that is asked first: the last one that was fit, until it does not answer.
#[derive(Default)]
pub struct Preference(AtomicUsize);

impl Preference {
    /// The outcome of the first `attempt` at one of `count` servers that succeeds, after which the
    /// others are dropped; else the failures, once each server had its time. Those that `may_pass`
    /// are repeated meanwhile.
    pub async fn first_fit<C, E, A>(
        &self,
        count: usize,
        attempt: impl Fn(usize) -> A,
        may_pass: impl Fn(&E) -> bool,
    ) -> Result<C, Vec<E>>
    where
        A: Future<Output = Result<C, E>>,
    {
        let begin = async |server: usize, pause: Duration| {
            if !pause.is_zero() {
                sleep(pause).await;
            }
            (server, pause.is_zero(), attempt(server).await)
        };
        let first = self.0.load(Ordering::Relaxed);
        let mut next = (0..count).map(|place| (first + place) % count).peekable();
        let (mut running, mut failures) = (FuturesUnordered::new(), Vec::new());
        loop {
            if let Some(server) = next.next() {
                running.push(begin(server, Duration::ZERO));
            }
            tokio::select! {
                Some((server, is_first_time, done)) = running.next() => match done {
                    Ok(fit) => {
                        self.0.store(server, Ordering::Relaxed);
                        return Ok(fit);
                    }
                    Err(failure) => {
                        if may_pass(&failure) {
                            running.push(begin(server, REPEAT_PAUSE));
                        }
                        if is_first_time {
                            failures.push(failure);
                        }
                    }
                },
                () = sleep(HEAD_START), if next.peek().is_some() => {
                    let (silent, other) = (first, (first + 1) % count);
                    let _ = self.0.compare_exchange(
                        silent, other, Ordering::Relaxed, Ordering::Relaxed);
                }
                else => {}
            }
            if failures.len() == count {
                return Err(failures);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, future::pending};

    use tokio::time::Instant;

    use super::*;

    /// The behaviour of a server at a time: it is fit, not fit, or does not answer.
    #[derive(Clone, Copy)]
    enum Is {
        Fit,
        ReadOnly,
        Forbidding,
        Frozen,
    }
    use Is::{Fit, Forbidding, Frozen, ReadOnly};

    const LIMIT: Duration = Duration::from_secs(3);

    /// The server that is found, when, and which were asked when.
    async fn race(
        preference: &Preference,
        servers: &[Is],
        later: (Duration, &[Is]),
    ) -> (Option<usize>, u128, Vec<(usize, u128)>) {
        let (start, asked) = (Instant::now(), RefCell::new(Vec::new()));
        let attempt = async |server: usize| {
            asked.borrow_mut().push((server, start.elapsed().as_millis()));
            let now = if start.elapsed() < later.0 { servers } else { later.1 };
            match now[server] {
                Fit => Ok(server),
                ReadOnly => Err("read-only"),
                Forbidding => Err("forbidden"),
                Frozen => tokio::time::timeout(LIMIT, pending()).await.unwrap_or(Err("silent")),
            }
        };
        let found =
            preference.first_fit(servers.len(), attempt, |error| *error == "read-only").await;
        (found.ok(), start.elapsed().as_millis(), asked.into_inner())
    }

    async fn lasting(preference: &Preference, servers: &[Is]) -> (Option<usize>, u128) {
        let (found, after, _) = race(preference, servers, (Duration::MAX, &[])).await;
        (found, after)
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_costs_its_head_start_once() {
        let preference = Preference::default();
        let servers = [Frozen, ReadOnly, Fit];
        assert_eq!(lasting(&preference, &servers).await, (Some(2), 300));
        assert_eq!(lasting(&preference, &servers).await, (Some(2), 0), "the last one is first");
        assert_eq!(lasting(&preference, &[Frozen, Fit, Frozen]).await, (Some(1), 600));
        assert_eq!(lasting(&preference, &[Fit, ReadOnly, ReadOnly]).await, (Some(0), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_takes_over_is_found_while_another_does_not_answer() {
        let preference = Preference::default();
        let later = (Duration::from_secs(1), [Frozen, ReadOnly, Fit].as_slice());
        let (found, after, asked) = race(&preference, &[Frozen, ReadOnly, ReadOnly], later).await;
        assert_eq!((found, after), (Some(2), 1050));
        let times = asked.iter().filter(|(server, _)| *server == 2).map(|(_, at)| *at);
        assert_eq!(times.collect::<Vec<_>>(), [300, 550, 800, 1050]);
    }

    #[tokio::test(start_paused = true)]
    async fn none_is_found_once_each_had_its_time_and_a_refusal_is_not_repeated() {
        let preference = Preference::default();
        assert_eq!(lasting(&preference, &[ReadOnly, ReadOnly]).await, (None, 0));
        let servers = [Forbidding, Frozen];
        let (found, after, asked) = race(&preference, &servers, (Duration::MAX, &[])).await;
        assert_eq!((found, after, asked), (None, 3000, vec![(0, 0), (1, 0)]));
    }
}
