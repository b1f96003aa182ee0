//! Faults of settings, which are reported all at once.

use std::fmt;

/// One setting that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The name of the setting.
    pub name: &'static str,
    /// The fault and its remedy. Never the value.
    pub message: String,
}

/// The faults of all settings, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            let end = if i == 0 { "" } else { "\n" };
            write!(f, "{end}{} {}", fault.name, fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
