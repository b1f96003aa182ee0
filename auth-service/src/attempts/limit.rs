//! So many attempts in any span of that length.
//!
//! A key is known by one number, the moment when all of its attempts will have been
//! forgotten (the generic cell rate algorithm, GCRA). Half of the attempts may come at
//! once; the others become free one by one, at a pace at which no window of the span ever
//! holds more than the limit: a limit is a promise, not an average.

use std::time::Duration;

/// The most that a limit can be of, and the longest span it can have.
const MOST: u32 = 1_000_000;
const LONGEST: Duration = Duration::from_hours(24);

/// So many attempts in any span of that length. Times are microseconds, which every store
/// keeps exactly.
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
            let count = count.trim().parse().ok().filter(|count| (1..=MOST).contains(count))?;
            let span = humantime::parse_duration(span.trim()).ok()?;
            let sound = (Duration::from_secs(1)..=LONGEST).contains(&span);
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

    /// How far one attempt moves the moment when all are forgotten, in microseconds.
    pub const fn interval(self) -> i64 {
        self.interval
    }

    /// How far ahead that moment may lie for one more attempt.
    pub const fn slack(self) -> i64 {
        (self.burst - 1) * self.interval
    }

    /// How far ahead it lies when no more are left.
    pub const fn full(self) -> i64 {
        self.burst * self.interval
    }

    /// Judges one more attempt at `now` by a key whose attempts are forgotten at `due`. A
    /// moment further ahead than there can be one is the trace of a clock that was set
    /// back; it must not hold anybody longer than the limit does.
    pub fn judge(self, due: i64, now: i64) -> Verdict {
        let due = due.clamp(now, now + self.full());
        if due <= now + self.slack() {
            Verdict::Taken { due: due + self.interval }
        } else {
            Verdict::Refused { due, wait: self.wait(due, now) }
        }
    }

    /// How long until a key with no attempts left has one again, in whole seconds.
    pub fn wait(self, due: i64, now: i64) -> Duration {
        let micros = (due - self.slack() - now).clamp(1, self.full());
        Duration::from_secs(micros.unsigned_abs().div_ceil(1_000_000))
    }
}

/// What becomes of one attempt, and the moment when all of the key's will be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Taken { due: i64 },
    Refused { due: i64, wait: Duration },
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const SECOND: i64 = 1_000_000;

    /// Tries at every moment of `tries` and counts the most that any window held.
    fn most_in_a_window(limit: Limit, span: i64, tries: impl Iterator<Item = i64>) -> usize {
        let (mut due, mut window, mut most) = (0, VecDeque::new(), 0);
        for now in tries {
            if let Verdict::Taken { due: next } = limit.judge(due, now) {
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
    fn no_window_ever_holds_more_and_somebody_who_never_rests_gets_all() {
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
    fn half_come_at_once_and_the_wait_that_is_told_is_enough() {
        let limit = Limit::new(10, Duration::from_mins(1));
        let (mut due, now) = (0, 1000 * SECOND);
        for _ in 0..5 {
            let Verdict::Taken { due: next } = limit.judge(due, now) else { panic!("the burst") };
            due = next;
        }
        let Verdict::Refused { wait, .. } = limit.judge(due, now) else { panic!("no more") };
        assert_eq!(wait, Duration::from_secs(10));
        let Verdict::Refused { wait, .. } = limit.judge(due, now + 9 * SECOND + 1) else {
            panic!("not yet")
        };
        assert_eq!(wait, Duration::from_secs(1), "rounded up");
        assert!(matches!(limit.judge(due, now + 10 * SECOND), Verdict::Taken { .. }));
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nobody_longer() {
        let limit = Limit::new(10, Duration::from_mins(1));
        let Verdict::Refused { due, wait } = limit.judge(5000 * SECOND, 1000 * SECOND) else {
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
