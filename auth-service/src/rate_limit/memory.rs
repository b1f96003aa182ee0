//! The rate limit counter in memory: enough for one replica, and bounded.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use shared::clock::Clock;

use super::{
    gcra::{Decision, Limit},
    key::Key,
};

/// The most keys: about 10 MiB.
const MAX_KEYS: usize = 100_000;

/// How many expired keys each attempt evicts: more than it can add.
const EVICTED_AT_ONCE: usize = 16;

/// Keys with attempts that have not expired.
///
/// When full, the key closest to its expiry is evicted: a limited key is the last to go, whatever
/// flood of fresh keys arrives.
pub struct Memory {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    due: HashMap<Key, i64>,
    by_due: BTreeSet<(i64, Key)>,
}

impl Memory {
    /// An empty counter with this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Counts an attempt, if one is left.
    pub fn take(&self, key: Key, limit: Limit) -> Decision {
        let (mut state, now) = (self.state(), self.now());
        state.evict_expired(now);
        let before = state.due.get(&key).copied();
        let decision = limit.check(before.unwrap_or(now), now);
        let (Decision::Taken { due } | Decision::Refused { due, .. }) = decision;
        state.set(key, due);
        decision
    }

    /// Refunds the attempt that left `key` at `taken`, unless it has expired.
    pub fn refund(&self, key: Key, limit: Limit, taken: i64) {
        let (mut state, now) = (self.state(), self.now());
        if taken <= now {
            return;
        }
        if let Some(due) = state.due.get(&key).copied() {
            state.set(key, due - limit.interval());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }
}

impl State {
    fn set(&mut self, key: Key, due: i64) {
        match self.due.insert(key, due) {
            Some(before) => drop(self.by_due.remove(&(before, key))),
            None if self.due.len() > MAX_KEYS => self.evict_first(),
            None => {}
        }
        self.by_due.insert((due, key));
    }

    fn evict_expired(&mut self, now: i64) {
        for _ in 0..EVICTED_AT_ONCE {
            if self.by_due.first().is_none_or(|(due, _)| *due > now) {
                return;
            }
            self.evict_first();
        }
    }

    fn evict_first(&mut self) {
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
    fn a_million_fresh_keys_fit_and_evict_no_limited_key() {
        let (clock, memory) = memory();
        let limited = Key::account("ada@example.com");
        while let Decision::Taken { .. } = memory.take(limited, ten()) {}
        let (before, mut slowest) = (resident(), Duration::ZERO);
        for number in 0..1_000_000 {
            let key = Key::account(&number.to_string());
            let start = Instant::now();
            memory.take(key, ten());
            slowest = slowest.max(start.elapsed());
        }
        let grown = resident().saturating_sub(before);
        assert_eq!(memory.state().due.len(), MAX_KEYS);
        assert_eq!(memory.state().by_due.len(), MAX_KEYS);
        assert!(grown < 64 << 20, "{grown} bytes");
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
        assert!(matches!(memory.take(limited, ten()), Decision::Refused { .. }));

        // Expired keys go, a few at each attempt.
        clock.advance(TimeDelta::minutes(2));
        for _ in 0..=MAX_KEYS / EVICTED_AT_ONCE {
            memory.take(limited, ten());
        }
        assert_eq!(memory.state().due.len(), 1);
    }

    #[test]
    fn both_indexes_agree_after_every_operation() {
        let (clock, memory) = memory();
        let mut taken = Vec::new();
        for number in 0..2000_i64 {
            let key = Key::account(&(number % 37).to_string());
            match memory.take(key, ten()) {
                Decision::Taken { due } => taken.push((key, due)),
                Decision::Refused { .. } => {
                    if let Some((key, due)) = taken.pop() {
                        memory.refund(key, ten(), due);
                    }
                }
            }
            clock.advance(TimeDelta::milliseconds(number % 900 - 20));
            let state = memory.state();
            assert_eq!(state.due.len(), state.by_due.len());
            assert!(state.by_due.iter().all(|(due, key)| state.due.get(key) == Some(due)));
        }
    }
}
