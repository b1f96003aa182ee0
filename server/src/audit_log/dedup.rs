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

/// How many of a topic are remembered at most.
const CAPACITY: usize = 4096;

/// What has room of its own: who causes more of one topic than there is room for silences
/// none of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    pub kind: EventKind,
    /// Whether there is a user to read it. What is nobody's is easier to cause.
    pub is_somebodys: bool,
}

/// Remembers for a minute what was written. Its memory is bounded, and so is what passes:
/// where more of a topic is remembered than there is room for, nothing new of it passes
/// until some of it is a minute old.
#[derive(Default)]
pub struct DedupWindow {
    hasher: RandomState,
    /// By hashes: the keys are as long as those who send them like.
    written: Mutex<HashMap<Topic, HashMap<u64, DateTime<Utc>>>>,
}

impl DedupWindow {
    /// Whether `topic` about `key` was not written within the last minute. From now on it
    /// was.
    pub fn opens_for(&self, topic: Topic, key: &str, now: DateTime<Utc>) -> bool {
        let key = self.hasher.hash_one(key);
        let mut all = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let written = all.entry(topic).or_default();
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

    const TOPIC: Topic = Topic { kind: EventKind::OwnershipRefused, is_somebodys: true };
    const OTHERS: [Topic; 2] = [
        Topic { kind: EventKind::AttemptsLimited, ..TOPIC },
        Topic { is_somebodys: false, ..TOPIC },
    ];

    #[test]
    fn the_same_passes_once_a_minute() {
        let (quiet, start) = (DedupWindow::default(), DateTime::UNIX_EPOCH);
        let after = |seconds| start + TimeDelta::seconds(seconds);
        assert!(quiet.opens_for(TOPIC, "ada", start));
        assert!(!quiet.opens_for(TOPIC, "ada", after(59)));
        assert!(quiet.opens_for(TOPIC, "bob", after(59)));
        assert!(OTHERS.iter().all(|other| quiet.opens_for(*other, "ada", after(59))));
        assert!(quiet.opens_for(TOPIC, "ada", after(60)));
        assert!(quiet.opens_for(TOPIC, "ada", start), "the clock was put back");
    }

    #[test]
    fn many_take_no_more_room_than_there_is() {
        let (quiet, start) = (DedupWindow::default(), DateTime::UNIX_EPOCH);
        let passed = |now| {
            let keys = (0..10_000).filter(|n| quiet.opens_for(TOPIC, &format!("u{n}"), now));
            keys.count()
        };
        assert_eq!((passed(start), passed(start)), (CAPACITY, 0));
        assert_eq!(quiet.written.lock().expect("unpoisoned")[&TOPIC].len(), CAPACITY);
        for other in OTHERS {
            assert!(quiet.opens_for(other, "ada", start), "{other:?} has room of its own");
        }
        assert_eq!(passed(start + WINDOW), CAPACITY);
    }
}
