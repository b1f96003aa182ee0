//! A connection of this process to the server of another: how it is protected, as `doctor` and the
//! log say.

/// The protection of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// None: any machine on the way can read and change what crosses.
    Clear,
    /// Encrypted, with a server of which nothing was checked.
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
    /// Logs a warning if the connection crosses the network in clear.
    pub fn warn_if_clear(&self) {
        let Self { to, protection, is_local, remedy } = self;
        if *protection == Protection::Clear && !is_local {
            tracing::warn!(to, remedy, "a connection crosses the network in clear");
        }
    }
}
