//! What a look at a deployment finds, a line each: what is well, what is questionable, what
//! is broken, and what to do. No line holds a secret, an address of a person or a row.

mod clock;
mod database;
mod files;
mod settings;
mod space;
mod strength;

use std::{error::Error, fmt};

use serde::Serialize;
use shared::config::Faults;

pub use self::{
    clock::drift,
    database::database,
    files::private,
    settings::{proxies, settings},
    space::space,
    strength::strength,
};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and somebody should know.
    Warn,
    /// It does not work, or is not safe.
    Fault,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub verdict: Verdict,
    /// What was looked at.
    pub check: &'static str,
    /// What was found, and what to do about it.
    pub message: String,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Report(Vec<Finding>);

/// Something is broken; the report said what.
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
    /// Notes what is well.
    pub fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        self.note(Verdict::Ok, check, &message.into());
    }

    /// Notes what is questionable.
    pub fn warn(&mut self, check: &'static str, message: impl Into<String>) {
        self.note(Verdict::Warn, check, &message.into());
    }

    /// Notes what is broken.
    pub fn fault(&mut self, check: &'static str, message: impl Into<String>) {
        self.note(Verdict::Fault, check, &message.into());
    }

    /// Notes every setting that is missing or wrong.
    pub fn faulty_settings(&mut self, Faults(faults): &Faults) {
        for fault in faults {
            self.fault("settings", format!("{} {}", fault.name, fault.message));
        }
    }

    /// Notes what is set and looks like a setting, and is not read.
    pub fn unread_settings(&mut self, unread: &[String]) {
        for sentence in unread {
            self.warn("settings", sentence);
        }
    }

    /// What was found, in the order it was looked at.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0
    }

    /// The report as lines for people, or as one JSON array.
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
    pub fn tell(&self, as_json: bool) -> Result<(), FaultsFound> {
        println!("{}", self.text(as_json));
        self.verdict()
    }

    /// An error if anything is broken.
    pub fn verdict(&self) -> Result<(), FaultsFound> {
        let faults = self.0.iter().filter(|found| found.verdict == Verdict::Fault).count();
        if faults == 0 { Ok(()) } else { Err(FaultsFound(faults)) }
    }

    fn note(&mut self, verdict: Verdict, check: &'static str, message: &str) {
        // A line a finding, whatever it quotes.
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
