//! The dedup window of the audit log: repeated events are written once.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::EventKind;

/// The time for which a repeated event is not written again.
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// The most events of one topic that the window holds.
const CAPACITY: usize = 4096;

/// The unit of capacity: a flood of one topic does not suppress others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    pub kind: EventKind,
    /// Whether the event has a user. Events without one are easier to cause.
    pub has_user: bool,
}

/// The dedup window: a minute of written events, of bounded size. When a topic is full, no new
/// event of it is admitted until older ones expire.
#[derive(Default)]
pub struct DedupWindow {
    hasher: RandomState,
    /// By hashes, as clients choose the length of the keys.
    written: Mutex<HashMap<Topic, HashMap<u64, DateTime<Utc>>>>,
}

impl DedupWindow {
    /// Whether an event of `topic` about `key` is to be written: none was within the window.
    /// Records it as written.
    pub fn admits(&self, topic: Topic, key: &str, now: DateTime<Utc>) -> bool {
        let key = self.hasher.hash_one(key);
        let mut all = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let written = all.entry(topic).or_default();
        // A clock that was set back suppresses nothing.
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

    const TOPIC: Topic = Topic { kind: EventKind::OwnershipRefused, has_user: true };
    const OTHERS: [Topic; 2] =
        [Topic { kind: EventKind::AttemptsLimited, ..TOPIC }, Topic { has_user: false, ..TOPIC }];

    #[test]
    fn a_repeated_event_is_admitted_once_a_minute() {
        let (dedup, start) = (DedupWindow::default(), DateTime::UNIX_EPOCH);
        let after = |seconds| start + TimeDelta::seconds(seconds);
        assert!(dedup.admits(TOPIC, "ada", start));
        assert!(!dedup.admits(TOPIC, "ada", after(59)));
        assert!(dedup.admits(TOPIC, "bob", after(59)));
        assert!(OTHERS.iter().all(|other| dedup.admits(*other, "ada", after(59))));
        assert!(dedup.admits(TOPIC, "ada", after(60)));
        assert!(dedup.admits(TOPIC, "ada", start), "the clock was put back");
    }

    #[test]
    fn the_window_has_a_bounded_size() {
        let (dedup, start) = (DedupWindow::default(), DateTime::UNIX_EPOCH);
        let passed = |now| {
            let keys = (0..10_000).filter(|n| dedup.admits(TOPIC, &format!("u{n}"), now));
            keys.count()
        };
        assert_eq!((passed(start), passed(start)), (CAPACITY, 0));
        assert_eq!(dedup.written.lock().expect("unpoisoned")[&TOPIC].len(), CAPACITY);
        for other in OTHERS {
            assert!(dedup.admits(other, "ada", start), "{other:?} has room of its own");
        }
        assert_eq!(passed(start + WINDOW), CAPACITY);
    }
}
