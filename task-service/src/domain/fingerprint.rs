//! The fingerprint of a request body, by which a repeat with the same idempotency key is
//! recognised.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::task::{Content, TaskPatch};

/// The fingerprint of a creation: SHA-256 of the content. A default counts the same whether spelled
/// out or not.
///
/// Fingerprints are stored for 24 hours: a new encoding needs a new version byte, after which
/// repeats of older calls look different.
pub fn fingerprint(content: &Content) -> Vec<u8> {
    let mut digest = Sha256::new_with_prefix([1]);
    digest.update(content.fingerprint_parts());
    digest.finalize().to_vec()
}

/// The fingerprint of a batch, different from those of other batches and of single creations.
///
/// Fingerprints are stored for 24 hours, so the labels stay.
pub fn of_batch(batch: Batch<'_>) -> Vec<u8> {
    let mut digest = Sha256::new_with_prefix([2]);
    let mut labelled = |label: u8, ids: &[Uuid]| {
        digest.update([label]);
        digest.update((ids.len() as u64).to_be_bytes());
        for id in ids {
            digest.update(id);
        }
    };
    match batch {
        Batch::Create(tasks) => {
            labelled(1, &[]);
            for task in tasks {
                digest.update(fingerprint(task));
            }
        }
        Batch::Update(ids, patch) => {
            labelled(2, ids);
            digest.update(patch.fingerprint_parts());
        }
        Batch::Complete(ids) => labelled(3, ids),
        Batch::Delete(ids) => labelled(4, ids),
    }
    digest.finalize().to_vec()
}

/// A batch and its tasks.
#[derive(Clone, Copy)]
pub enum Batch<'a> {
    /// Creates these tasks.
    Create(&'a [Content]),
    /// Writes one patch into these tasks.
    Update(&'a [Uuid], &'a TaskPatch),
    /// Completes these tasks.
    Complete(&'a [Uuid]),
    /// Deletes these tasks.
    Delete(&'a [Uuid]),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        due::Due,
        recurrence::{RepeatFrom, Rule},
        task::{
            Description, DueChange, Priority, Reminder, Reminders, Repeat, RuleChange, Tags, Title,
            sample,
        },
        timestamp::Timestamp,
        zone::Zone,
    };

    fn body(title: &str, description: &str, priority: Priority) -> Content {
        let description = Description::parse(description.into()).expect("a description");
        Content { description, priority, ..sample(title) }
    }

    #[test]
    fn different_batches_have_different_fingerprints() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (nothing, done) = (TaskPatch::default(), TaskPatch::completed(true));
        let reopen = TaskPatch::completed(false);
        let end = TaskPatch { recurrence: Some(RuleChange::End), ..TaskPatch::default() };
        let due = |change| TaskPatch { due: Some(change), ..TaskPatch::default() };
        let (no_date, no_due) = (due(DueChange::NoDate), due(DueChange::None));
        let (a, b) = (sample("a"), sample("b"));
        let batches = [
            Batch::Create(std::slice::from_ref(&a)),
            Batch::Create(&[a.clone(), b.clone()]),
            Batch::Create(&[b, a.clone()]),
            Batch::Update(&[one], &nothing),
            Batch::Update(&[one], &done),
            Batch::Update(&[one], &reopen),
            Batch::Update(&[one], &end),
            Batch::Update(&[one], &no_date),
            Batch::Update(&[one], &no_due),
            Batch::Update(&[one, two], &done),
            Batch::Complete(&[one]),
            Batch::Complete(&[one, two]),
            Batch::Complete(&[two, one]),
            Batch::Delete(&[one]),
        ];
        let mut all: Vec<_> = batches.map(of_batch).into();
        all.push(fingerprint(&a));
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn different_bodies_have_different_fingerprints() {
        let tags = |tag: &str| Tags::parse(vec![tag.to_owned()]).expect("tags");
        let day = Due::parse_date("2026-11-25").map(Due::Date).expect("a date");
        let moment = Timestamp::from_micros(day.sort_key());
        let instant = Due::At { moment, zone: Zone::UTC };
        let reminders = Reminders::new(vec![Reminder::At(moment)]).expect("one");
        let rule = Rule::parse("FREQ=WEEKLY").expect("a rule");
        let weekly = Repeat { rule, from: RepeatFrom::Due, zone: Zone::UTC };
        let bodies = [
            body("ab", "c", Priority::Low),
            body("a", "bc", Priority::Low),
            body("abc", "", Priority::Low),
            body("ab", "c", Priority::High),
            body("ab", "c ", Priority::Low),
            Content { tags: tags("a"), ..sample("ab") },
            Content { tags: tags("b"), ..sample("ab") },
            Content { due: Some(day.clone()), ..sample("ab") },
            Content { due: Some(instant), ..sample("ab") },
            Content { reminders, ..sample("ab") },
            Content { due: Some(day.clone()), recurrence: Some(weekly), ..sample("ab") },
        ];
        for (i, one) in bodies.iter().enumerate() {
            for other in &bodies[i + 1..] {
                assert_ne!(fingerprint(one), fingerprint(other), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_fingerprint_outlives_its_process_so_its_bytes_are_fixed() {
        let one = fingerprint(&body("Water the plants", "twice", Priority::Medium));
        assert_eq!(one[..8], [0x71, 0x13, 0x91, 0xd8, 0x11, 0x53, 0x91, 0xa0]);
        assert_eq!(one, fingerprint(&body(" Water the plants ", "twice", Priority::Medium)));
        let due = Due::parse_date("2026-11-25").map(Due::Date).expect("a date");
        let moment = Timestamp::from_micros(due.sort_key());
        let reminders = Reminders::new(vec![Reminder::At(moment)]).expect("one");
        let tags = Tags::parse(vec!["Home".into()]).expect("tags");
        let rule = Rule::parse("FREQ=WEEKLY").expect("a rule");
        let repeat = Repeat { rule, from: RepeatFrom::Due, zone: Zone::UTC };
        let full = Content {
            tags: tags.clone(),
            due: Some(due.clone()),
            reminders: reminders.clone(),
            recurrence: Some(repeat.clone()),
            ..sample("ab")
        };
        assert_eq!(fingerprint(&full)[..8], [0xf0, 0x10, 0xbf, 0x01, 0x5f, 0x4a, 0x04, 0x2a]);
        let patch = TaskPatch {
            title: Title::parse("a").ok(),
            completed: Some(false),
            tags: Some(tags),
            due: Some(DueChange::Set(due)),
            reminders: Some(reminders),
            recurrence: Some(RuleChange::Set(Box::new(repeat))),
            ..TaskPatch::default()
        };
        let update = of_batch(Batch::Update(&[Uuid::from_u128(1)], &patch));
        assert_eq!(update[..8], [0xf2, 0xe1, 0x9e, 0x44, 0x38, 0xe8, 0x20, 0x0f]);
    }
}
