//! The check of a connection to the server of another: whether it is protected.

use super::Report;
use crate::hop::{Hop, Protection};

impl Report {
    /// Reports whether the connection is encrypted, and with whom.
    pub fn hop(&mut self, hop: &Hop<'_>) {
        let Hop { to, protection, is_local, remedy } = hop;
        match protection {
            Protection::Verified => {
                let found = format!("the connection to {to} is encrypted, the server is verified");
                self.ok("tls", found);
            }
            Protection::Encrypted if *is_local => {
                self.ok("tls", format!("the connection to {to} is encrypted"));
            }
            Protection::Clear if *is_local => {
                self.ok("tls", format!("the connection to {to} is in clear, on this machine"));
            }
            Protection::Encrypted => self.warn(
                "tls",
                format!(
                    "the connection to {to} is encrypted, but not with a server that is verified: \
                     {remedy}"
                ),
            ),
            Protection::Clear => self.warn(
                "tls",
                format!("the connection to {to} crosses the network in clear: {remedy}"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Verdict;

    #[test]
    fn what_is_not_protected_and_leaves_the_machine_is_a_warning() {
        for (protection, is_local, verdict) in [
            (Protection::Verified, false, Verdict::Ok),
            (Protection::Encrypted, true, Verdict::Ok),
            (Protection::Encrypted, false, Verdict::Warn),
            (Protection::Clear, true, Verdict::Ok),
            (Protection::Clear, false, Verdict::Warn),
        ] {
            let mut report = Report::default();
            report.hop(&Hop { to: "Redis", protection, is_local, remedy: "mend it" });
            let finding = &report.findings()[0];
            assert_eq!(finding.verdict, verdict, "{protection:?} {is_local}");
            assert_eq!(finding.message.contains("mend it"), verdict == Verdict::Warn);
        }
    }
}
