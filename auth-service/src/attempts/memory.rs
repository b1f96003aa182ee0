//! Attempts counted in this process: enough for one replica, and bounded.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use shared::clock::Clock;

use super::{
    key::Key,
    limit::{Limit, Verdict},
};

/// How many keys are held at most: 10 MiB or so.
const MOST_KEYS: usize = 100_000;

/// So many forgotten keys are dropped at each attempt, which is more than it can add.
const SWEPT_AT_ONCE: usize = 16;

/// Keys with attempts that are not yet forgotten.
///
/// Where there are too many, the one that is closest to being forgotten makes room: a key
/// that is being limited is the last to go, whatever flood of fresh ones there is.
pub struct Memory {
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    due: HashMap<Key, i64>,
    by_due: BTreeSet<(i64, Key)>,
}

impl Memory {
    /// Nothing counted yet, by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, held: Mutex::default() }
    }

    /// Counts an attempt, if one is left.
    pub fn take(&self, key: Key, limit: Limit) -> Verdict {
        let (mut held, now) = (self.held(), self.now());
        held.sweep(now);
        let before = held.due.get(&key).copied();
        let verdict = limit.judge(before.unwrap_or(now), now);
        let (Verdict::Taken { due } | Verdict::Refused { due, .. }) = verdict;
        held.set(key, due);
        verdict
    }

    /// Takes an attempt back that left its key at `taken`. Where the time since has done so
    /// already, there is nothing to take back.
    pub fn give_back(&self, key: Key, limit: Limit, taken: i64) {
        let (mut held, now) = (self.held(), self.now());
        if taken <= now {
            return;
        }
        if let Some(due) = held.due.get(&key).copied() {
            held.set(key, due - limit.interval());
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }
}

impl Held {
    fn set(&mut self, key: Key, due: i64) {
        match self.due.insert(key, due) {
            Some(before) => drop(self.by_due.remove(&(before, key))),
            None if self.due.len() > MOST_KEYS => self.drop_first(),
            None => {}
        }
        self.by_due.insert((due, key));
    }

    fn sweep(&mut self, now: i64) {
        for _ in 0..SWEPT_AT_ONCE {
            if self.by_due.first().is_none_or(|(due, _)| *due > now) {
                return;
            }
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some((_, key)) = self.by_due.pop_first() {
            self.due.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use chrono::{DateTime, TimeDelta};
    use shared::clock::ManualClock;

    use super::*;

    fn memory() -> (Arc<ManualClock>, Memory) {
        let start = DateTime::parse_from_rfc3339("2026-11-26T04:00:00Z").expect("a moment");
        let clock = Arc::new(ManualClock::at(start.into()));
        (clock.clone(), Memory::new(clock))
    }

    fn ten() -> Limit {
        Limit::new(10, Duration::from_mins(1))
    }

    /// Resident memory of this process, in bytes.
    fn resident() -> usize {
        let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux");
        pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number")
            * 4096
    }

    #[test]
    fn a_million_fresh_keys_fit_and_push_nobody_out_who_is_limited() {
        let (clock, memory) = memory();
        let limited = Key::account("ada@example.com");
        while let Verdict::Taken { .. } = memory.take(limited, ten()) {}
        let (before, mut slowest) = (resident(), Duration::ZERO);
        for number in 0..1_000_000 {
            let key = Key::account(&number.to_string());
            let start = Instant::now();
            memory.take(key, ten());
            slowest = slowest.max(start.elapsed());
        }
        let grown = resident().saturating_sub(before);
        assert_eq!(memory.held().due.len(), MOST_KEYS);
        assert_eq!(memory.held().by_due.len(), MOST_KEYS);
        assert!(grown < 64 << 20, "{grown} bytes");
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
        assert!(matches!(memory.take(limited, ten()), Verdict::Refused { .. }));

        // What is forgotten goes, a little at each attempt.
        clock.advance(TimeDelta::minutes(2));
        for _ in 0..=MOST_KEYS / SWEPT_AT_ONCE {
            memory.take(limited, ten());
        }
        assert_eq!(memory.held().due.len(), 1);
    }

    #[test]
    fn both_lists_hold_the_same_whatever_happens() {
        let (clock, memory) = memory();
        let mut taken = Vec::new();
        for number in 0..2000_i64 {
            let key = Key::account(&(number % 37).to_string());
            match memory.take(key, ten()) {
                Verdict::Taken { due } => taken.push((key, due)),
                Verdict::Refused { .. } => {
                    if let Some((key, due)) = taken.pop() {
                        memory.give_back(key, ten(), due);
                    }
                }
            }
            clock.advance(TimeDelta::milliseconds(number % 900 - 20));
            let held = memory.held();
            assert_eq!(held.due.len(), held.by_due.len());
            assert!(held.by_due.iter().all(|(due, key)| held.due.get(key) == Some(due)));
        }
    }
}
