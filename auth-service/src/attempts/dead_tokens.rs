//! The limit of session tokens that open nothing.

use std::sync::Arc;

use server::{ClientInfo, audit_log::AuditLog};
use shared::clock::Clock;

use super::{AttemptError, Key, Limit, Memory, limit::Verdict, refused_address};

/// A limit of session tokens that open nothing, by client. Each replica counts for itself,
/// and apart from other attempts: a flood of addresses pushes nothing else out.
///
/// A token that opens a session is never refused: an address is shared by a client_prefix, an
/// office or the users of a frontend's server, and none of them can lock the others out. No
/// token can be guessed, so a look-up is all that one more costs.
#[derive(Clone)]
pub struct DeadTokens {
    limit: Option<Limit>,
    counted: Arc<Memory>,
    trail: AuditLog,
}

impl DeadTokens {
    /// So many tokens of one client; `None`: any number.
    pub fn new(limit: Option<Limit>, clock: Arc<dyn Clock>) -> Self {
        Self { limit, counted: Arc::new(Memory::new(clock)), trail: AuditLog::default() }
    }

    /// The limit, with a trail for what it refuses.
    pub fn with_audit_log(self, trail: AuditLog) -> Self {
        Self { trail, ..self }
    }

    /// Counts a token that opens nothing; an error once the client has none left.
    pub fn count(&self, client: &ClientInfo) -> Result<(), AttemptError> {
        let Some(limit) = self.limit else { return Ok(()) };
        let key = Key::session(client);
        match self.counted.take(key, limit) {
            Verdict::Taken { .. } => Ok(()),
            Verdict::Refused { wait, .. } => Err(refused_address(&self.trail, key, wait)),
        }
    }
}
