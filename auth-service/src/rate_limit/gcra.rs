//! A rate limit by the generic cell rate algorithm (GCRA): at most so many attempts in any time
//! span.
//!
//! A key has one number, the time when all of its attempts have expired. Half of the attempts may
//! come at once; the others become free one by one, at a pace at which no window of the span ever
//! holds more than the limit: a limit is a promise, not an average.

use std::time::Duration;

/// The largest count and the longest span of a limit.
const MAX_COUNT: u32 = 1_000_000;
const MAX_SPAN: Duration = Duration::from_hours(24);

/// A number of attempts in any span. Times are in microseconds, which every store keeps exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    burst: i64,
    interval: i64,
}

impl Limit {
    /// `count` attempts, at least one, in any `span`.
    pub fn new(count: u32, span: Duration) -> Self {
        let burst = count.div_ceil(2);
        let interval = span.as_micros().div_ceil(u128::from(count - burst + 1));
        Self { burst: burst.into(), interval: i64::try_from(interval).unwrap_or(i64::MAX >> 32) }
    }

    /// Reads `10/60s`, or `off`, which is no limit.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let limit = || {
            let (count, span) = text.split_once('/')?;
            let count =
                count.trim().parse().ok().filter(|count| (1..=MAX_COUNT).contains(count))?;
            let span = humantime::parse_duration(span.trim()).ok()?;
            let sound = (Duration::from_secs(1)..=MAX_SPAN).contains(&span);
            sound.then(|| Self::new(count, span))
        };
        match text {
            "off" => Ok(None),
            _ => limit().map(Some).ok_or_else(|| {
                "must be `off`, or a number and a time span of 1s to 24h such as `10/60s`"
                    .to_owned()
            }),
        }
    }

    /// How far one attempt moves the expiry of a key, in microseconds.
    pub const fn interval(self) -> i64 {
        self.interval
    }

    /// How far ahead the expiry may be for one more attempt.
    pub const fn slack(self) -> i64 {
        (self.burst - 1) * self.interval
    }

    /// How far ahead the expiry is when no attempts are left.
    pub const fn full(self) -> i64 {
        self.burst * self.interval
    }

    /// Checks one more attempt at `now` of a key that expires at `due`. A time further ahead than
    /// possible was left by a clock that was set back; it is limited to what is possible.
    pub fn check(self, due: i64, now: i64) -> Decision {
        let due = due.clamp(now, now + self.full());
        if due <= now + self.slack() {
            Decision::Taken { due: due + self.interval }
        } else {
            Decision::Refused { due, wait: self.wait(due, now) }
        }
    }

    /// How long until a key with no attempts left has one again, in whole seconds.
    pub fn wait(self, due: i64, now: i64) -> Duration {
        let micros = (due - self.slack() - now).clamp(1, self.full());
        Duration::from_secs(micros.unsigned_abs().div_ceil(1_000_000))
    }
}

/// The decision about an attempt, and the time when all attempts of the key have expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Taken { due: i64 },
    Refused { due: i64, wait: Duration },
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const SECOND: i64 = 1_000_000;

    /// Attempts at every time of `tries`; returns the most that any window held.
    fn most_in_a_window(limit: Limit, span: i64, tries: impl Iterator<Item = i64>) -> usize {
        let (mut due, mut window, mut most) = (0, VecDeque::new(), 0);
        for now in tries {
            if let Decision::Taken { due: next } = limit.check(due, now) {
                due = next;
                window.push_back(now);
            }
            while window.front().is_some_and(|first| first + span <= now) {
                window.pop_front();
            }
            most = most.max(window.len());
        }
        most
    }

    #[test]
    fn no_window_ever_holds_more_and_a_steady_client_gets_all() {
        for count in [1_u32, 2, 3, 5, 10, 30, 60, 61, 300] {
            let limit = Limit::new(count, Duration::from_mins(1));
            let eager = (0..400 * 60).map(|tick| tick * SECOND / 60);
            let most = most_in_a_window(limit, 60 * SECOND, eager);
            assert_eq!(most, count as usize, "{count}");
            // Bursts after rests of every length.
            for rest in 1..70 {
                let bursts = (0..200).flat_map(|n| [n * rest * SECOND; 40]);
                let most = most_in_a_window(limit, 60 * SECOND, bursts);
                assert!(most <= count as usize, "{count}: {most} with rests of {rest} s");
            }
        }
    }

    #[test]
    fn half_come_at_once_and_the_reported_wait_is_enough() {
        let limit = Limit::new(10, Duration::from_mins(1));
        let (mut due, now) = (0, 1000 * SECOND);
        for _ in 0..5 {
            let Decision::Taken { due: next } = limit.check(due, now) else { panic!("the burst") };
            due = next;
        }
        let Decision::Refused { wait, .. } = limit.check(due, now) else { panic!("no more") };
        assert_eq!(wait, Duration::from_secs(10));
        let Decision::Refused { wait, .. } = limit.check(due, now + 9 * SECOND + 1) else {
            panic!("not yet")
        };
        assert_eq!(wait, Duration::from_secs(1), "rounded up");
        assert!(matches!(limit.check(due, now + 10 * SECOND), Decision::Taken { .. }));
    }

    #[test]
    fn a_clock_that_was_set_back_limits_no_client_longer() {
        let limit = Limit::new(10, Duration::from_mins(1));
        let Decision::Refused { due, wait } = limit.check(5000 * SECOND, 1000 * SECOND) else {
            panic!("taken for the trace of attempts")
        };
        assert_eq!((due, wait), (1050 * SECOND, Duration::from_secs(10)));
    }

    #[test]
    fn limits_are_a_number_and_a_span_or_off() {
        assert_eq!(Limit::parse("off"), Ok(None));
        for text in ["10/60s", "10/1m", " 10 / 1m "] {
            let limit = Limit::new(10, Duration::from_mins(1));
            assert_eq!(Limit::parse(text), Ok(Some(limit)), "{text}");
        }
        for text in ["", "on", "10", "0/60s", "-1/60s", "10/0s", "10/25h", "10/60", "1000001/1s"] {
            assert!(Limit::parse(text).is_err(), "{text}");
        }
    }
}
