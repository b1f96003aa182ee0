//! Recurrence in tables of known answers, and what holds for all rules.

mod asked;
mod completion;
mod refusals;
mod rfc;
mod vector;
mod walks;
mod zones;

use super::{Recurrence, RepeatFrom, Rule};
use crate::domain::due::Due;

/// A series that begins with `due`.
fn starting(rule: Rule, from: RepeatFrom, due: &Due) -> Recurrence {
    Recurrence { rule, from, anchor: due.local() }
}

#[test]
fn all_known_answers_are_asked_for() {
    let counted = rfc::VECTORS.len()
        + asked::VECTORS.len()
        + zones::VECTORS.len()
        + completion::MISSED.len()
        + completion::VECTORS.len();
    assert_eq!(counted, 136);
}
