//! How often somebody may try: passwords, new accounts, session tokens.
//!
//! Whoever checks a password counts the attempt first, on whatever wire and in whatever
//! call: a guess that is not counted is never hashed, and what is right is given back. What
//! is counted is the account as it was asked for, whether there is one or not, so nobody
//! learns from a refusal who has an account.
//!
//! - `limit`: the arithmetic of one limit; `key`: what is counted
//! - `counter`: where it is counted: `memory`, `redis`, or a table (`store`)
//! - `settings`: how much is allowed

mod counter;
mod key;
mod limit;
mod memory;
mod redis;
mod settings;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc, time::Duration};

use shared::{
    audit::{Event, EventKind, Trail},
    clock::Clock,
};
use tokio::time::MissedTickBehavior;

pub use self::{
    counter::Counter,
    key::Key,
    limit::Limit,
    memory::Memory,
    settings::{AttemptSettings, AttemptStore, Limits},
};
use self::{
    counter::{Attempt, Outcome},
    limit::Verdict,
};
use crate::error::Error;

/// How often what is forgotten is removed from where it is counted.
const SWEEP_PERIOD: Duration = Duration::from_secs(30);

/// Says who may try once more.
#[derive(Clone)]
pub struct Attempts {
    limits: Limits,
    counter: Counter,
    /// Apart from the others: whoever floods it with addresses pushes nothing else out.
    sessions: Arc<Memory>,
    trail: Trail,
}

/// Attempts at one password that were counted and not yet judged.
#[must_use]
pub struct Guess(Vec<Attempt>);

impl Attempts {
    /// So many attempts, counted in `counter`.
    pub fn new(limits: Limits, counter: Counter, clock: Arc<dyn Clock>) -> Self {
        let sessions = Arc::new(Memory::new(clock));
        Self { limits, counter, sessions, trail: Trail::default() }
    }

    /// The attempts, with a trail for those that are refused and nobody's in particular.
    /// Whose a refused attempt at a password is, its caller finds out.
    pub fn noting_in(self, trail: Trail) -> Self {
        Self { trail, ..self }
    }

    /// Counts an attempt at the password of `account` (an e-mail in its canonical form; none
    /// that is nobody's), or refuses it.
    ///
    /// One address has its share of an account's attempts. Where others have taken all of
    /// them together, an address that `is_home` to the account is judged by its share
    /// alone, so that nobody can lock a user out.
    pub async fn at_password(
        &self,
        account: Option<&str>,
        from: Option<IpAddr>,
        is_home: impl Future<Output = Result<bool, Error>>,
    ) -> Result<Guess, Error> {
        let (limits, named) = (&self.limits, account.unwrap_or_default());
        let mut guess = Guess(Vec::new());
        let its_share = [
            (Key::address(from), limits.passwords_per_address),
            (Key::account_from(named, from), limits.passwords),
        ];
        for (key, limit) in its_share {
            if let Err(wait) = self.count(&mut guess, key, limit).await? {
                self.give_back(guess).await;
                return Err(refused(wait));
            }
        }
        let of_all = account.map(Key::account);
        let Some(key) = of_all else { return Ok(guess) };
        if let Err(wait) = self.count(&mut guess, key, limits.passwords_per_account).await?
            && !is_home.await?
        {
            self.give_back(guess).await;
            return Err(refused(wait));
        }
        Ok(guess)
    }

    /// Takes back what was counted: the password was right, or was never looked at.
    pub async fn give_back(&self, guess: Guess) {
        for attempt in guess.0 {
            self.counter.give_back(attempt).await;
        }
    }

    /// Counts a new account, or refuses it.
    pub async fn at_sign_up(&self, from: Option<IpAddr>) -> Result<(), Error> {
        let mut counted = Guess(Vec::new());
        let (key, limit) = (Key::sign_up(from), self.limits.sign_ups_per_address);
        self.count(&mut counted, key, limit).await?.map_err(|wait| self.refused_from(key, wait))
    }

    /// Looks a session up, unless too many tokens from this address have opened none.
    ///
    /// No token can be guessed; this bounds the work that anybody can cause, and each
    /// replica counts for itself.
    pub async fn at_session<T>(
        &self,
        from: Option<IpAddr>,
        look_up: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(limit) = self.limits.sessions_per_address else { return look_up.await };
        let key = Key::session(from);
        if let Verdict::Refused { wait, .. } = self.sessions.look(key, limit) {
            return Err(self.refused_from(key, wait));
        }
        let found = look_up.await;
        if let Err(Error::InvalidSession) = found {
            self.sessions.take(key, limit);
        }
        found
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

    /// Notes that nobody in particular is refused by a limit of an address.
    fn refused_from(&self, key: Key, wait: Duration) -> Error {
        self.trail.note_sparingly(Event::new(EventKind::AttemptsLimited), &key.to_string());
        refused(wait)
    }

    /// Counts one attempt with the others of its guess. `Err` of the inner: how long until
    /// there is one again.
    async fn count(
        &self,
        guess: &mut Guess,
        key: Key,
        limit: Option<Limit>,
    ) -> Result<Result<(), Duration>, Error> {
        let Some(limit) = limit else { return Ok(Ok(())) };
        Ok(match self.counter.take(key, limit).await? {
            Outcome::Taken(attempt) => {
                guess.0.push(attempt);
                Ok(())
            }
            Outcome::Refused { wait } => Err(wait),
        })
    }
}

/// Every attempt that a limit refuses comes by here.
fn refused(retry_after: Duration) -> Error {
    tracing::debug!(retry_after = retry_after.as_secs(), "too many attempts");
    Error::TooManyAttempts { retry_after }
}
