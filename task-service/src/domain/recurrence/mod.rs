//! The recurrence of tasks (RFC 5545): the next due after a completion or a skip.
//!
//! Days are enumerated in local time and converted to instants at the end: nine o'clock stays nine
//! o'clock in summer and in winter.
//!
//! - `rule`, `parts`, `invalid`: the text of a rule
//! - `occurrences`, with `period` and `choice`: the candidates of a rule, in order
//! - `next`: the candidate that becomes the next due

mod choice;
mod invalid;
mod next;
mod occurrences;
mod parts;
mod period;
mod rule;

pub use self::{
    invalid::InvalidRule,
    next::{Recurrence, RepeatFrom},
    rule::Rule,
};

#[cfg(test)]
mod tests;
