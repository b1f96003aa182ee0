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

use std::{pin::pin, time::Duration};

use server::{
    ClientInfo,
    audit_log::{AuditLog, Event, EventKind},
};
use tokio::time::MissedTickBehavior;

use self::counter::Attempt;
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

/// The cost of a password, by its outcome.
#[derive(Clone, Copy)]
enum Cost {
    WrongFromAddress,
    WrongAtAccountFromAddress,
    WrongAtAccount,
    Right,
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

    /// Counts the costs of a wrong and of a right password, since its outcome is not known yet.
    /// Right ones count by account and address, so that attempts from elsewhere cannot lock out a
    /// user while they are checked.
    async fn count_all<E: From<RateLimitError>>(
        &self,
        attempt: &mut PasswordAttempt,
        account: Option<&str>,
        client: &ClientInfo,
        is_known_client: impl Future<Output = Result<bool, E>>,
    ) -> Result<(), E> {
        let (limits, name) = (&self.limits, account.unwrap_or_default());
        let costs = [
            (Cost::WrongFromAddress, Some(Key::address(client)), limits.passwords_per_address),
            (
                Cost::WrongAtAccountFromAddress,
                Some(Key::account_from(name, client)),
                limits.passwords,
            ),
            (Cost::WrongAtAccount, account.map(Key::account), limits.passwords_per_account),
            (Cost::Right, Some(Key::right(client)), limits.right_passwords_per_address),
            (Cost::Right, Some(Key::right_from(name, client)), limits.right_passwords),
        ];
        let (costs, keys): (Vec<_>, Vec<_>) =
            costs.into_iter().filter_map(|(cost, key, limit)| Some((cost, (key?, limit?)))).unzip();
        let mut is_known_client = pin!(is_known_client);
        let mut start = 0;
        while start < keys.len() {
            let outcomes = self.counter.take(&keys[start..]).await.map_err(RateLimitError::from)?;
            for (place, taken) in outcomes.taken {
                match costs[start + place] {
                    Cost::Right => attempt.right.push(taken),
                    _ => attempt.wrong.push(taken),
                }
            }
            let Some((place, wait)) = outcomes.refused else { break };
            let key = keys[start + place].0;
            let refusal = match costs[start + place] {
                Cost::WrongFromAddress => refused_address(&self.audit_log, key, wait),
                Cost::WrongAtAccountFromAddress if account.is_none() => {
                    refused_address(&self.audit_log, key, wait)
                }
                Cost::WrongAtAccountFromAddress => refused(wait, LimitScope::AccountFromAddress),
                Cost::WrongAtAccount if is_known_client.as_mut().await? => {
                    start += place + 1;
                    continue;
                }
                Cost::WrongAtAccount => refused(wait, LimitScope::Account),
                Cost::Right => {
                    tracing::debug!(retry_after = wait.as_secs(), "too many right passwords");
                    RateLimitError::TooManyRight { retry_after: wait }
                }
            };
            return Err(refusal.into());
        }
        Ok(())
    }

    /// Settles an attempt by its outcome: refunds the costs of the other one.
    pub async fn settle(&self, attempt: PasswordAttempt, is_right: bool) {
        self.counter.refund(if is_right { attempt.wrong } else { attempt.right }).await;
    }

    /// Refunds an attempt whose password was never checked.
    pub async fn refund(&self, attempt: PasswordAttempt) {
        let PasswordAttempt { mut wrong, right } = attempt;
        wrong.extend(right);
        self.counter.refund(wrong).await;
    }

    /// Takes an attempt at a sign-up, or refuses it.
    pub async fn take_sign_up(&self, client: &ClientInfo) -> Result<(), RateLimitError> {
        let Some(limit) = self.limits.sign_ups_per_address else { return Ok(()) };
        let key = Key::sign_up(client);
        match self.counter.take(&[(key, limit)]).await?.refused {
            Some((_, wait)) => Err(refused_address(&self.audit_log, key, wait)),
            None => Ok(()),
        }
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
