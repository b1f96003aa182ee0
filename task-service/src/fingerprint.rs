//! What came with a request id, in a form that can be compared for a day.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    due::Due,
    recurrence::RepeatFrom,
    task::{
        Description, DueChange, NewRepeat, NewTask, Priority, RuleChange, Tags, TaskPatch, Title,
    },
};

/// Tells bodies apart: SHA-256 over what the body means, so that a default counts the same
/// whether it was spelled out or not.
///
/// The digest outlives the process that made it by a day: a new encoding needs a new
/// version byte, and then makes repeats of older calls look different.
pub fn fingerprint(task: &NewTask) -> Vec<u8> {
    let mut digest = Sha256::new_with_prefix([1]);
    digest.update(task.priority.number().to_be_bytes());
    for text in [task.title.as_str(), task.description.as_str()] {
        // The length in front keeps text from moving between the fields unnoticed.
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    if let Some(more) = more(task) {
        digest.update(more);
    }
    digest.finalize().to_vec()
}

/// What only some tasks have, if this one has any of it. JSON keeps its parts apart.
fn more(task: &NewTask) -> Option<String> {
    let NewTask { tags, due, reminders, recurrence, .. } = task;
    let tags = tags.as_slice();
    if tags.is_empty() && due.is_none() && reminders.as_slice().is_empty() && recurrence.is_none() {
        return None;
    }
    let due = due.as_ref().map(Due::to_stored);
    let recurrence = recurrence.as_ref().map(spelled);
    // Texts and numbers always serialise.
    serde_json::to_string(&(tags, due, reminders, recurrence)).ok()
}

/// Tells the bodies of batches apart, from each other and from those of single calls.
///
/// What was said of [`fingerprint`] holds here as well: the labels stay.
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
            digest.update(written(patch));
        }
        Batch::Complete(ids) => labelled(3, ids),
        Batch::Delete(ids) => labelled(4, ids),
    }
    digest.finalize().to_vec()
}

/// What a batch does, and with which tasks.
#[derive(Clone, Copy)]
pub enum Batch<'a> {
    /// Makes these.
    Create(&'a [NewTask]),
    /// Writes the same into all of these.
    Update(&'a [Uuid], &'a TaskPatch),
    /// Completes these.
    Complete(&'a [Uuid]),
    /// Deletes these.
    Delete(&'a [Uuid]),
}

/// All that a patch writes, as JSON: what it leaves alone is `null`.
fn written(patch: &TaskPatch) -> String {
    let TaskPatch { title, description, completed, priority, tags, due, reminders, recurrence } =
        patch;
    let due = due.as_ref().map(|change| match change {
        DueChange::Set(due) => ("set", Some(due.to_stored())),
        DueChange::Instant(moment) => ("instant", Some((moment.micros(), None))),
        DueChange::NoZone => ("no zone", None),
        DueChange::NoDate => ("no date", None),
        DueChange::NoInstant => ("no instant", None),
        DueChange::None => ("none", None),
    });
    let recurrence = recurrence.as_ref().map(|change| match change {
        RuleChange::Set(repeat) => Some(spelled(repeat)),
        RuleChange::End => None,
    });
    // An end is told from nothing by the list around it.
    let recurrence: Vec<_> = recurrence.into_iter().collect();
    let all = (
        title.as_ref().map(Title::as_str),
        description.as_ref().map(Description::as_str),
        completed,
        priority.map(Priority::number),
        tags.as_ref().map(Tags::as_slice),
        due,
        reminders,
        recurrence,
    );
    // Texts and numbers always serialise.
    serde_json::to_string(&all).unwrap_or_default()
}

fn spelled(repeat: &NewRepeat) -> (&str, RepeatFrom, &str) {
    (repeat.rule.as_str(), repeat.from, repeat.zone.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        moment::Moment,
        recurrence::Rule,
        task::{Reminder, Reminders, sample},
        zone::Zone,
    };

    fn body(title: &str, description: &str, priority: Priority) -> NewTask {
        let description = Description::parse(description.into()).expect("a description");
        NewTask { description, priority, ..sample(title) }
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
        let moment = Moment::from_micros(day.sort_key());
        let instant = Due::At { moment, zone: Zone::UTC };
        let reminders = Reminders::new(vec![Reminder::At(moment)]).expect("one");
        let rule = Rule::parse("FREQ=WEEKLY").expect("a rule");
        let weekly = NewRepeat { rule, from: RepeatFrom::Due, zone: Zone::UTC };
        let bodies = [
            body("ab", "c", Priority::Low),
            body("a", "bc", Priority::Low),
            body("abc", "", Priority::Low),
            body("ab", "c", Priority::High),
            body("ab", "c ", Priority::Low),
            NewTask { tags: tags("a"), ..sample("ab") },
            NewTask { tags: tags("b"), ..sample("ab") },
            NewTask { due: Some(day.clone()), ..sample("ab") },
            NewTask { due: Some(instant), ..sample("ab") },
            NewTask { reminders, ..sample("ab") },
            NewTask { due: Some(day.clone()), recurrence: Some(weekly), ..sample("ab") },
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
    }
}
