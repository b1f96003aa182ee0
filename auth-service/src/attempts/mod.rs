//! How often somebody may try: passwords, new accounts, session tokens.
//!
//! Whoever checks a password counts the attempt first, on whatever wire and in whatever
//! call: a guess that is not counted is never hashed, and what is right is given back. What
//! is counted is the account as it was asked for, whether there is one or not, so nobody
//! learns from a refusal who has an account. Right passwords have limits of their own, far
//! wider: each costs a hash and leaves a session or an event.
//!
//! - `dead_tokens`: session tokens that open nothing
//! - `limit`: the arithmetic of one limit; `key`: what is counted
//! - `counter`: where it is counted: `memory`, `redis`, or a table (`store`)
//! - `settings`: how much is allowed

mod counter;
mod dead_tokens;
mod key;
mod limit;
mod memory;
mod redis;
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
    dead_tokens::DeadTokens,
    key::Key,
    limit::Limit,
    memory::Memory,
    settings::{AttemptSettings, AttemptStore, Limits},
};
use crate::store::DatabaseError;

/// How often what is forgotten is removed from where it is counted.
const SWEEP_PERIOD: Duration = Duration::from_secs(30);

/// Says who may try once more.
#[derive(Clone)]
pub struct Attempts {
    limits: Limits,
    counter: Counter,
    trail: AuditLog,
}

/// What had no attempts left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// An address, whatever it tried.
    Address,
    /// An address at one account.
    AccountFromAddress,
    /// An account, from wherever.
    Account,
}

impl Limited {
    /// Whether it tells its user something about the account. What an address has used up
    /// elsewhere does not.
    pub fn is_about_an_account(self) -> bool {
        matches!(self, Self::AccountFromAddress | Self::Account)
    }
}

/// Why an attempt is not let through.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// A limit was reached.
    #[error("too many attempts")]
    TooMany {
        /// When there is one again, in whole seconds.
        retry_after: Duration,
        /// Whose it is.
        by: Limited,
    },
    /// A limit of right passwords was reached.
    #[error("too many right passwords")]
    TooManyRight {
        /// When there is one again, in whole seconds.
        retry_after: Duration,
    },
    /// The table of attempts failed.
    #[error("attempts cannot be counted")]
    Uncounted(#[from] DatabaseError),
}

/// Attempts at one password that were counted and not yet judged.
#[must_use]
#[derive(Default)]
pub struct Guess {
    /// What a wrong password costs.
    wrong: Vec<Attempt>,
    /// What a right one costs.
    right: Vec<Attempt>,
}

impl Attempts {
    /// So many attempts, counted in `counter`.
    pub fn new(limits: Limits, counter: Counter) -> Self {
        Self { limits, counter, trail: AuditLog::default() }
    }

    /// The attempts, with a trail for those that a limit of an address refuses: they are
    /// nobody's. Whose the others are, their caller finds out.
    pub fn with_audit_log(self, trail: AuditLog) -> Self {
        Self { trail, ..self }
    }

    /// Counts an attempt at the password of `account` (an e-mail in its canonical form; none
    /// that is nobody's), or refuses it.
    ///
    /// One address has its share of an account's attempts. Where others have taken all of
    /// them together, an address that `is_home` to the account is judged by its share
    /// alone, so that nobody can lock a user out.
    pub async fn at_password<E: From<AttemptError>>(
        &self,
        account: Option<&str>,
        client: &ClientInfo,
        is_home: impl Future<Output = Result<bool, E>>,
    ) -> Result<Guess, E> {
        let mut guess = Guess::default();
        match self.count_all(&mut guess, account, client, is_home).await {
            Ok(()) => Ok(guess),
            // Whether it is refused or cannot be counted: no password is looked at.
            Err(error) => {
                self.give_back(guess).await;
                Err(error)
            }
        }
    }

    async fn count_all<E: From<AttemptError>>(
        &self,
        guess: &mut Guess,
        account: Option<&str>,
        client: &ClientInfo,
        is_home: impl Future<Output = Result<bool, E>>,
    ) -> Result<(), E> {
        let limits = &self.limits;
        let key = Key::address(client);
        let wrong = &mut guess.wrong;
        if let Err(wait) = self.count(wrong, key, limits.passwords_per_address).await? {
            return Err(refused_address(&self.trail, key, wait).into());
        }
        let key = Key::account_from(account.unwrap_or_default(), client);
        if let Err(wait) = self.count(wrong, key, limits.passwords).await? {
            let refused = match account {
                Some(_) => refused(wait, Limited::AccountFromAddress),
                None => refused_address(&self.trail, key, wait),
            };
            return Err(refused.into());
        }
        if let Some(key) = account.map(Key::account) {
            match self.count(wrong, key, limits.passwords_per_account).await? {
                Err(wait) if !is_home.await? => {
                    return Err(refused(wait, Limited::Account).into());
                }
                _ => {}
            }
        }
        Ok(self.count_as_right(&mut guess.right, account, client).await?)
    }

    /// Counts a password as if it were right. By account and address together, so that
    /// nobody's guesses from elsewhere keep a user out while they are looked at.
    async fn count_as_right(
        &self,
        right: &mut Vec<Attempt>,
        account: Option<&str>,
        client: &ClientInfo,
    ) -> Result<(), AttemptError> {
        let limits = &self.limits;
        let of_account = Key::right_from(account.unwrap_or_default(), client);
        for (key, limit) in [
            (Key::right(client), limits.right_passwords_per_address),
            (of_account, limits.right_passwords),
        ] {
            if let Err(retry_after) = self.count(right, key, limit).await? {
                tracing::debug!(retry_after = retry_after.as_secs(), "too many right passwords");
                return Err(AttemptError::TooManyRight { retry_after });
            }
        }
        Ok(())
    }

    /// Takes back what does not count, now that the password was looked at.
    pub async fn judged(&self, guess: Guess, is_right: bool) {
        self.give_all_back(if is_right { guess.wrong } else { guess.right }).await;
    }

    /// Takes back all that was counted: the password was never looked at.
    pub async fn give_back(&self, guess: Guess) {
        self.give_all_back(guess.wrong).await;
        self.give_all_back(guess.right).await;
    }

    async fn give_all_back(&self, attempts: Vec<Attempt>) {
        for attempt in attempts {
            self.counter.give_back(attempt).await;
        }
    }

    /// Counts a new account, or refuses it.
    pub async fn at_sign_up(&self, client: &ClientInfo) -> Result<(), AttemptError> {
        let mut counted = Vec::new();
        let (key, limit) = (Key::sign_up(client), self.limits.sign_ups_per_address);
        self.count(&mut counted, key, limit)
            .await?
            .map_err(|wait| refused_address(&self.trail, key, wait))
    }

    /// Removes what is forgotten, now and again, where it does not go by itself. Never ends.
    pub async fn sweep(self) {
        let longest = self.limits.longest();
        let mut rounds = tokio::time::interval(SWEEP_PERIOD);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.counter.sweep(longest).await;
        }
    }

    /// Counts one attempt with the others of its guess. `Err` of the inner: how long until
    /// there is one again.
    async fn count(
        &self,
        counted: &mut Vec<Attempt>,
        key: Key,
        limit: Option<Limit>,
    ) -> Result<Result<(), Duration>, AttemptError> {
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

/// A refusal by a limit of an address, which is noted: no user will hear of it otherwise.
fn refused_address(trail: &AuditLog, key: Key, wait: Duration) -> AttemptError {
    trail.record_deduplicated(Event::new(EventKind::AttemptsLimited), &key.to_string());
    refused(wait, Limited::Address)
}

/// Every attempt that a limit refuses comes by here.
fn refused(retry_after: Duration, by: Limited) -> AttemptError {
    tracing::debug!(retry_after = retry_after.as_secs(), ?by, "too many attempts");
    AttemptError::TooMany { retry_after, by }
}
