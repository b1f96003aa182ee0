//! The report of `doctor`: one line per finding, with its verdict and the remedy. No line holds a
//! secret, a personal address or a row.

mod clock;
mod database;
mod disk_space;
mod file_access;
mod hop;
mod secret_strength;
mod settings;

use std::{error::Error, fmt};

use serde::Serialize;
use shared::config::Faults;

pub use self::{
    clock::clock_drift,
    database::database,
    disk_space::disk_space,
    file_access::file_access,
    secret_strength::secret_strength,
    settings::{server, settings},
};

/// The verdict of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// In order.
    Ok,
    /// Works, but is questionable.
    Warn,
    /// Does not work, or is unsafe.
    Fault,
}

/// The finding of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The verdict of a finding.
    pub verdict: Verdict,
    /// The check.
    pub check: &'static str,
    /// The finding, and its remedy.
    pub message: String,
}

/// The report of all findings.
#[derive(Debug, Default)]
pub struct Report(Vec<Finding>);

/// The report has faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultsFound(usize);

impl fmt::Display for FaultsFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = if self.0 == 1 { "" } else { "s" };
        write!(f, "{} fault{ending}", self.0)
    }
}

impl Error for FaultsFound {}

impl Report {
    /// Reports a check that is in order.
    pub fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        self.add(Verdict::Ok, check, &message.into());
    }

    /// Reports a warning.
    pub fn warn(&mut self, check: &'static str, message: impl Into<String>) {
        self.add(Verdict::Warn, check, &message.into());
    }

    /// Reports a fault.
    pub fn fault(&mut self, check: &'static str, message: impl Into<String>) {
        self.add(Verdict::Fault, check, &message.into());
    }

    /// Reports every setting that is missing or wrong.
    pub fn faulty_settings(&mut self, Faults(faults): &Faults) {
        for fault in faults {
            self.fault("settings", format!("{} {}", fault.name, fault.message));
        }
    }

    /// Reports variables that look like settings and are not read.
    pub fn unread_settings(&mut self, unread: &[String]) {
        for sentence in unread {
            self.warn("settings", sentence);
        }
    }

    /// The findings, in order.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }

    /// The report as lines of text, or as one JSON array.
    #[must_use]
    pub fn text(&self, as_json: bool) -> String {
        if as_json {
            return serde_json::to_string_pretty(&self.0).unwrap_or_default();
        }
        let lines = self.0.iter().map(|Finding { verdict, check, message }| {
            let verdict = match verdict {
                Verdict::Ok => "ok",
                Verdict::Warn => "warn",
                Verdict::Fault => "fault",
            };
            format!("{verdict:<6}{check:<10}{message}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Prints the report, and is an error if anything is broken.
    #[expect(clippy::print_stdout, reason = "the report is what was asked for")]
    pub fn print(&self, as_json: bool) -> Result<(), FaultsFound> {
        println!("{}", self.text(as_json));
        self.verdict()
    }

    /// An error if anything is broken.
    pub fn verdict(&self) -> Result<(), FaultsFound> {
        let faults = self.0.iter().filter(|found| found.verdict == Verdict::Fault).count();
        if faults == 0 { Ok(()) } else { Err(FaultsFound(faults)) }
    }

    fn add(&mut self, verdict: Verdict, check: &'static str, message: &str) {
        // One line per finding, whatever text is quoted.
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        self.0.push(Finding { verdict, check, message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_and_a_fault_is_an_error() {
        let mut report = Report::default();
        report.ok("clock", "as the database\nhas it");
        report.warn("secret", "two of them");
        assert_eq!(report.verdict(), Ok(()));
        report.fault("database", "away");
        assert_eq!(
            report.text(false),
            "ok    clock     as the database has it\n\
             warn  secret    two of them\n\
             fault database  away"
        );
        assert_eq!(report.verdict().map_err(|unwell| unwell.to_string()), Err("1 fault".into()));
        let json: serde_json::Value = serde_json::from_str(&report.text(true)).expect("JSON");
        assert_eq!(json[2]["verdict"], "fault");
    }
}
