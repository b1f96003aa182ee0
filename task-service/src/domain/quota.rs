//! The quota of each user, and the usage that counts against it.

use server::storage::bytes;
use shared::config::{Reader, Setting, Unset, Vars, number_or_off};

shared::settings! {
    /// The settings of the quota. A database takes some 1 200 bytes for a task with a short title,
    /// most of them indexes: at most 600 MB for the tasks of one user, and as much again for their
    /// texts.
    pub const SETTINGS: "Data";

    MAX_TASKS_PER_USER: i64 = Setting::new("500000", |text| {
        number_or_off(text, 1..=1_000_000_000).map(|most| most.unwrap_or(OFF))
    }), "the quota of tasks of a user, or `off`";
    MAX_BYTES_PER_USER: i64 = Setting::new("512MiB", size_or_off),
        "the quota of texts of a user, or `off`";
}

/// The usage of a user's tasks, including those in the trash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The number of tasks.
    pub tasks: i64,
    /// The stored bytes of titles, descriptions and details (tags, reminders, rules).
    pub bytes: i64,
}

impl Usage {
    /// The sum of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { tasks: self.tasks + other.tasks, bytes: self.bytes + other.bytes }
    }

    /// The usage without `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self { tasks: self.tasks - other.tasks, bytes: self.bytes - other.bytes }
    }
}

/// The most that a user may store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The most tasks.
    pub tasks: i64,
    /// The most bytes.
    pub bytes: i64,
}

impl Default for Quota {
    fn default() -> Self {
        Self::read(&mut Reader::new(&Unset))
    }
}

/// No limit.
const OFF: i64 = i64::MAX;

/// The least quota: one task of the largest size.
const LEAST_BYTES: i64 = 1 << 20;

impl Quota {
    /// Reads `MAX_TASKS_PER_USER` and `MAX_BYTES_PER_USER`.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        Self { tasks: reader.get(&MAX_TASKS_PER_USER), bytes: reader.get(&MAX_BYTES_PER_USER) }
    }

    /// Whether `usage` is allowed after it grew by `more`. A user over the quota may still shrink
    /// it.
    #[must_use]
    pub fn allows(self, usage: Usage, more: Usage) -> bool {
        (more.tasks <= 0 || usage.tasks <= self.tasks)
            && (more.bytes <= 0 || usage.bytes <= self.bytes)
    }
}

fn size_or_off(text: &str) -> Result<i64, String> {
    match text {
        "off" => Ok(OFF),
        _ => bytes(text)
            .and_then(|bytes| i64::try_from(bytes).ok())
            .filter(|bytes| *bytes >= LEAST_BYTES)
            .ok_or_else(|| "must be `off` or a size of at least `1MiB`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn read(tasks: &str, bytes: &str) -> Option<Quota> {
        let vars = HashMap::from([
            ("MAX_TASKS_PER_USER", tasks.to_owned()),
            ("MAX_BYTES_PER_USER", bytes.to_owned()),
        ]);
        let mut reader = Reader::new(&vars);
        let quota = Quota::read(&mut reader);
        reader.finish(Some(quota)).ok()
    }

    #[test]
    fn a_quota_is_a_number_and_a_size_or_off() {
        assert_eq!(read("", ""), Some(Quota::default()));
        assert_eq!(read("7", "2MiB"), Some(Quota { tasks: 7, bytes: 2 << 20 }));
        assert_eq!(read("off", "off"), Some(Quota { tasks: OFF, bytes: OFF }));
        for (tasks, bytes) in [("0", ""), ("many", ""), ("-1", ""), ("", "1KiB"), ("", "big")] {
            assert_eq!(read(tasks, bytes), None, "{tasks} {bytes}");
        }
    }

    #[test]
    fn only_what_grows_is_refused() {
        let quota = Quota { tasks: 2, bytes: 10 };
        let usage = |tasks, bytes| Usage { tasks, bytes };
        assert!(quota.allows(usage(2, 10), usage(1, 5)));
        assert!(!quota.allows(usage(3, 10), usage(1, 5)));
        assert!(!quota.allows(usage(2, 11), usage(0, 1)));
        assert!(quota.allows(usage(3, 11), usage(0, 0)));
        assert!(quota.allows(usage(3, 11), usage(0, -1)));
    }
}
