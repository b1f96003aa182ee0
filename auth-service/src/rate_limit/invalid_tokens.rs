//! The rate limit of invalid session tokens.

use std::sync::Arc;

use server::{ClientInfo, audit_log::AuditLog};
use shared::clock::Clock;

use super::{Key, Limit, Memory, RateLimitError, gcra::Decision, refused_address};

/// The rate limit of invalid session tokens, by client. Each replica counts for itself, and apart
/// from other attempts: a flood of addresses evicts no other key.
///
/// A valid token is never refused: the users of an office, of a client prefix or of a frontend's
/// server share an address, and none of them can lock out the others. No token can be guessed, so
/// an attempt costs one look-up.
#[derive(Clone)]
pub struct InvalidTokens {
    limit: Option<Limit>,
    counted: Arc<Memory>,
    audit_log: AuditLog,
}

impl InvalidTokens {
    /// A limit by client; `None`: no limit.
    pub fn new(limit: Option<Limit>, clock: Arc<dyn Clock>) -> Self {
        Self { limit, counted: Arc::new(Memory::new(clock)), audit_log: AuditLog::default() }
    }

    /// Adds the audit log for refusals.
    pub fn with_audit_log(self, audit_log: AuditLog) -> Self {
        Self { audit_log, ..self }
    }

    /// Counts an invalid token; an error once the client has no attempts left.
    pub fn count(&self, client: &ClientInfo) -> Result<(), RateLimitError> {
        let Some(limit) = self.limit else { return Ok(()) };
        let key = Key::session(client);
        match self.counted.take(key, limit) {
            Decision::Taken { .. } => Ok(()),
            Decision::Refused { wait, .. } => Err(refused_address(&self.audit_log, key, wait)),
        }
    }
}
