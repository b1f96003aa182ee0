//! Reads the fields of a message and gathers what is wrong with them.

use std::fmt::Display;

use shared::error::Violation;

use crate::error::Error;

/// The faults of one message so far.
#[derive(Default)]
pub struct Fields(Vec<Violation>);

impl Fields {
    /// The value of `field`; `None` if it is faulty, which is noted.
    pub fn take<T>(&mut self, field: &'static str, parsed: Result<T, impl Display>) -> Option<T> {
        parsed.map_err(|rule| self.fault(field, rule.to_string())).ok()
    }

    /// Notes that `field` breaks the rule `message`.
    pub fn fault(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push(Violation::new(field, message));
    }

    /// `value` if no fault was noted, else all of them.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Error> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self.0)),
        }
    }
}
