//! Rate limits: passwords, sign-ups, session tokens.
//!
//! Every password check counts an attempt first, on both wires: a password that is not counted is
//! never hashed, and a right one is refunded. The key is the account as given, whether it exists
//! or not, so a refusal does not reveal which accounts exist. Right passwords have much wider
//! limits of their own: each costs a hash and leaves a session or an event.
//!
//! - `settings`: the limits of sign-ups, sign-ins and other uses, with their defaults
//! - `invalid_tokens`: the limit of invalid session tokens
//! - `gcra`: the arithmetic of one limit; `key`: the key of a count
//! - `counter`: the store of counts: `memory`, `redis` (at a `redis_server`), or a table (in
//!   `store`)

mod counter;
mod gcra;
mod invalid_tokens;
mod key;
mod memory;
mod redis;
mod redis_server;
mod settings;
#[cfg(test)]
mod tests;

use std::time::Duration;

use server::{
    ClientInfo,
    audit_log::{AuditLog, Event, EventKind},
};
use tokio::time::MissedTickBehavior;

use self::counter::{Attempt, Outcome};
pub use self::{
    counter::Counter,
    gcra::Limit,
    invalid_tokens::InvalidTokens,
    key::Key,
    memory::Memory,
    redis_server::RedisServer,
    settings::{Limits, RateLimitSettings, RateLimitStore},
};
use crate::store::DatabaseError;

/// How often expired keys are removed.
const SWEEP_PERIOD: Duration = Duration::from_secs(30);

/// The rate limiter of passwords and sign-ups.
#[derive(Clone)]
pub struct RateLimiter {
    limits: Limits,
    counter: Counter,
    audit_log: AuditLog,
}

/// The scope of the limit that refused an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitScope {
    /// An address, whatever it tried.
    Address,
    /// An address at one account.
    AccountFromAddress,
    /// An account, from wherever.
    Account,
}

impl LimitScope {
    /// Whether the refusal concerns the account: what an address used up elsewhere does not.
    pub fn concerns_the_account(self) -> bool {
        matches!(self, Self::AccountFromAddress | Self::Account)
    }
}

/// Why an attempt is refused.
#[derive(Debug, thiserror::Error)]
pub enum RateLimitError {
    /// A limit was reached.
    #[error("too many attempts")]
    TooMany {
        /// When an attempt is free again, in whole seconds.
        retry_after: Duration,
        /// The scope of the limit.
        by: LimitScope,
    },
    /// A limit of right passwords was reached.
    #[error("too many right passwords")]
    TooManyRight {
        /// When an attempt is free again, in whole seconds.
        retry_after: Duration,
    },
    /// The table of attempts failed.
    #[error("attempts cannot be counted")]
    Uncounted(#[from] DatabaseError),
}

/// A counted attempt at a password, before its outcome is known.
#[must_use]
#[derive(Default)]
pub struct PasswordAttempt {
    /// The cost of a wrong password.
    wrong: Vec<Attempt>,
    /// The cost of a right password.
    right: Vec<Attempt>,
}

impl RateLimiter {
    /// A rate limiter of these limits, counted in `counter`.
    pub fn new(limits: Limits, counter: Counter) -> Self {
        Self { limits, counter, audit_log: AuditLog::default() }
    }

    /// Adds the audit log for refusals by address, which have no user. The caller records those
    /// of an account.
    pub fn with_audit_log(self, audit_log: AuditLog) -> Self {
        Self { audit_log, ..self }
    }

    /// Takes an attempt at the password of `account` (a canonical e-mail; `None`: an invalid
    /// one), or refuses it.
    ///
    /// Each address has a share of an account's attempts. When all addresses together have used
    /// up the account's limit, a known client is limited by its share alone, so that an attacker
    /// cannot lock out a user.
    pub async fn take_password<E: From<RateLimitError>>(
        &self,
        account: Option<&str>,
        client: &ClientInfo,
        is_known_client: impl Future<Output = Result<bool, E>>,
    ) -> Result<PasswordAttempt, E> {
        let mut attempt = PasswordAttempt::default();
        match self.count_all(&mut attempt, account, client, is_known_client).await {
            Ok(()) => Ok(attempt),
            // Refused or not counted: no password is checked.
            Err(error) => {
                self.refund(attempt).await;
                Err(error)
            }
        }
    }

    async fn count_all<E: From<RateLimitError>>(
        &self,
        attempt: &mut PasswordAttempt,
        account: Option<&str>,
        client: &ClientInfo,
        is_known_client: impl Future<Output = Result<bool, E>>,
    ) -> Result<(), E> {
        let limits = &self.limits;
        let key = Key::address(client);
        let wrong = &mut attempt.wrong;
        if let Err(wait) = self.count(wrong, key, limits.passwords_per_address).await? {
            return Err(refused_address(&self.audit_log, key, wait).into());
        }
        let key = Key::account_from(account.unwrap_or_default(), client);
        if let Err(wait) = self.count(wrong, key, limits.passwords).await? {
            let refused = match account {
                Some(_) => refused(wait, LimitScope::AccountFromAddress),
                None => refused_address(&self.audit_log, key, wait),
            };
            return Err(refused.into());
        }
        if let Some(key) = account.map(Key::account) {
            match self.count(wrong, key, limits.passwords_per_account).await? {
                Err(wait) if !is_known_client.await? => {
                    return Err(refused(wait, LimitScope::Account).into());
                }
                _ => {}
            }
        }
        Ok(self.count_as_right(&mut attempt.right, account, client).await?)
    }

    /// Counts a right password in advance. By account and address, so that attempts from
    /// elsewhere cannot lock out a user while they are checked.
    async fn count_as_right(
        &self,
        right: &mut Vec<Attempt>,
        account: Option<&str>,
        client: &ClientInfo,
    ) -> Result<(), RateLimitError> {
        let limits = &self.limits;
        let of_account = Key::right_from(account.unwrap_or_default(), client);
        for (key, limit) in [
            (Key::right(client), limits.right_passwords_per_address),
            (of_account, limits.right_passwords),
        ] {
            if let Err(retry_after) = self.count(right, key, limit).await? {
                tracing::debug!(retry_after = retry_after.as_secs(), "too many right passwords");
                return Err(RateLimitError::TooManyRight { retry_after });
            }
        }
        Ok(())
    }

    /// Settles an attempt by its outcome: refunds the costs of the other one.
    pub async fn settle(&self, attempt: PasswordAttempt, is_right: bool) {
        self.refund_all(if is_right { attempt.wrong } else { attempt.right }).await;
    }

    /// Refunds an attempt whose password was never checked.
    pub async fn refund(&self, attempt: PasswordAttempt) {
        self.refund_all(attempt.wrong).await;
        self.refund_all(attempt.right).await;
    }

    async fn refund_all(&self, attempts: Vec<Attempt>) {
        for attempt in attempts {
            self.counter.refund(attempt).await;
        }
    }

    /// Takes an attempt at a sign-up, or refuses it.
    pub async fn take_sign_up(&self, client: &ClientInfo) -> Result<(), RateLimitError> {
        let mut counted = Vec::new();
        let (key, limit) = (Key::sign_up(client), self.limits.sign_ups_per_address);
        self.count(&mut counted, key, limit)
            .await?
            .map_err(|wait| refused_address(&self.audit_log, key, wait))
    }

    /// Removes expired keys periodically. Never ends.
    pub async fn remove_expired(self) {
        let longest = self.limits.longest();
        let mut rounds = tokio::time::interval(SWEEP_PERIOD);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.counter.remove_expired(longest).await;
        }
    }

    /// Counts one attempt. Inner `Err`: how long until one is free.
    async fn count(
        &self,
        counted: &mut Vec<Attempt>,
        key: Key,
        limit: Option<Limit>,
    ) -> Result<Result<(), Duration>, RateLimitError> {
        let Some(limit) = limit else { return Ok(Ok(())) };
        Ok(match self.counter.take(key, limit).await? {
            Outcome::Taken(attempt) => {
                counted.push(attempt);
                Ok(())
            }
            Outcome::Refused { wait } => Err(wait),
        })
    }
}

/// A refusal by the limit of an address, which is recorded: no user is informed otherwise.
fn refused_address(audit_log: &AuditLog, key: Key, wait: Duration) -> RateLimitError {
    audit_log.record_deduplicated(Event::new(EventKind::AttemptsLimited), &key.to_string());
    refused(wait, LimitScope::Address)
}

/// A refusal, logged.
fn refused(retry_after: Duration, by: LimitScope) -> RateLimitError {
    tracing::debug!(retry_after = retry_after.as_secs(), ?by, "too many attempts");
    RateLimitError::TooMany { retry_after, by }
}
