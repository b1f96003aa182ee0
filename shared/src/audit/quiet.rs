//! Who said the same thing a moment ago.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::EventKind;

/// How long the same thing is not written again.
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// How many are remembered at most.
const CAPACITY: usize = 4096;

/// Remembers for a minute what was written. Its memory is bounded, and so is what passes:
/// where more is remembered than there is room for, nothing new passes until some of it is
/// a minute old.
#[derive(Default)]
pub struct Quiet {
    hasher: RandomState,
    /// By hashes: the keys are as long as those who send them like.
    written: Mutex<HashMap<u64, DateTime<Utc>>>,
}

impl Quiet {
    /// Whether `kind` about `key` was not written within the last minute. From now on it
    /// was.
    pub fn is_broken_by(&self, kind: EventKind, key: &str, now: DateTime<Utc>) -> bool {
        let key = self.hasher.hash_one((kind, key));
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was put back does not silence anybody.
        let is_recent = |at: &DateTime<Utc>| (TimeDelta::zero()..WINDOW).contains(&(now - *at));
        if written.get(&key).is_some_and(is_recent) {
            return false;
        }
        if written.len() >= CAPACITY {
            written.retain(|_, at| is_recent(at));
        }
        let has_room = written.len() < CAPACITY;
        if has_room {
            written.insert(key, now);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: EventKind = EventKind::OwnershipRefused;

    #[test]
    fn the_same_passes_once_a_minute() {
        let (quiet, start) = (Quiet::default(), DateTime::UNIX_EPOCH);
        let after = |seconds| start + TimeDelta::seconds(seconds);
        assert!(quiet.is_broken_by(KIND, "ada", start));
        assert!(!quiet.is_broken_by(KIND, "ada", after(59)));
        assert!(quiet.is_broken_by(KIND, "bob", after(59)));
        assert!(quiet.is_broken_by(EventKind::AttemptsLimited, "ada", after(59)));
        assert!(quiet.is_broken_by(KIND, "ada", after(60)));
        assert!(quiet.is_broken_by(KIND, "ada", start), "the clock was put back");
    }

    #[test]
    fn many_take_no_more_room_than_there_is() {
        let (quiet, start) = (Quiet::default(), DateTime::UNIX_EPOCH);
        let passed = |now| {
            let keys = (0..10_000).filter(|n| quiet.is_broken_by(KIND, &format!("u{n}"), now));
            keys.count()
        };
        assert_eq!((passed(start), passed(start)), (CAPACITY, 0));
        assert_eq!(quiet.written.lock().expect("unpoisoned").len(), CAPACITY);
        assert_eq!(passed(start + WINDOW), CAPACITY);
    }
}
