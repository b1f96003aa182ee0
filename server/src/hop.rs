//! A connection of this process to the server of another: how it is protected, as `doctor` and the
//! log say.

use crate::cli::doctor::Report;

/// The protection of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// None: whoever is on the way reads and changes what crosses.
    Clear,
    /// Encrypted, with a server that could be anybody's.
    Encrypted,
    /// Encrypted, with a server whose certificate and name were checked.
    Verified,
}

/// A connection to a server.
#[derive(Clone, Copy, Debug)]
pub struct Hop<'a> {
    /// The server, such as `Redis at cache:6379`.
    pub to: &'a str,
    /// The protection of the connection.
    pub protection: Protection,
    /// Whether the server is on this machine.
    pub is_local: bool,
    /// The setting that protects it, such as "write `rediss://` in ATTEMPT_STORE".
    pub remedy: &'a str,
}

impl Hop<'_> {
    /// Reports whether the connection is encrypted, and with whom.
    pub fn report(&self, report: &mut Report) {
        let Self { to, protection, is_local, remedy } = self;
        match protection {
            Protection::Verified => {
                let found = format!("the connection to {to} is encrypted, the server is verified");
                report.ok("tls", found);
            }
            Protection::Encrypted if *is_local => {
                report.ok("tls", format!("the connection to {to} is encrypted"));
            }
            Protection::Clear if *is_local => {
                report.ok("tls", format!("the connection to {to} is in clear, on this machine"));
            }
            Protection::Encrypted => report.warn(
                "tls",
                format!(
                    "the connection to {to} is encrypted, but not with a server that is verified: \
                     {remedy}"
                ),
            ),
            Protection::Clear => report.warn(
                "tls",
                format!("the connection to {to} crosses the network in clear: {remedy}"),
            ),
        }
    }

    /// Logs a warning if the connection crosses the network in clear.
    pub fn warn_if_clear(&self) {
        let Self { to, protection, is_local, remedy } = self;
        if *protection == Protection::Clear && !is_local {
            tracing::warn!(to, remedy, "a connection crosses the network in clear");
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
            Hop { to: "Redis", protection, is_local, remedy: "mend it" }.report(&mut report);
            let finding = &report.findings()[0];
            assert_eq!(finding.verdict, verdict, "{protection:?} {is_local}");
            assert_eq!(finding.message.contains("mend it"), verdict == Verdict::Warn);
        }
    }
}
