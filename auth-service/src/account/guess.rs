//! Passwords that somebody offers: counted, then hashed, then judged.

use std::net::IpAddr;

use shared::audit::{Event, EventKind};

use super::Accounts;
use crate::{attempts::Guess, email::Email, error::Error, password::Password, session::SignedIn};

impl Accounts {
    /// The stored form of the caller's password, if it is the one that was given.
    pub(super) async fn verified_hash(
        &self,
        caller: &SignedIn,
        given: Password,
        from: Option<IpAddr>,
    ) -> Result<String, Error> {
        let stored = self.store.password_hash(&caller.user().id).await?;
        let stored = stored.ok_or(Error::NoPassword)?;
        // Stored in the canonical form, unless another server wrote it.
        let account = caller.user().email.trim().to_ascii_lowercase();
        let guess = self.guess(Some(&account), from).await;
        if let Err(Error::TooManyAttempts { .. }) = guess {
            let event = Self::event(EventKind::AttemptsLimited, caller);
            self.sessions.trail().note_sparingly(event, &account);
        }
        let guess = guess?;
        if self.matches(guess, given, Some(stored.clone())).await? {
            return Ok(stored);
        }
        self.sessions.trail().note(Self::event(EventKind::PasswordRefused, caller));
        Err(Error::InvalidPassword)
    }

    /// Counts an attempt at the password of an account, whether there is one or not.
    pub(super) async fn guess(
        &self,
        account: Option<&str>,
        from: Option<IpAddr>,
    ) -> Result<Guess, Error> {
        let is_home = async {
            let (Some(account), Some(from)) = (account, from) else { return Ok(false) };
            self.sessions.are_open_from(from, account).await
        };
        self.attempts.at_password(account, from, is_home).await
    }

    /// Notes that attempts at an account were refused, whoever made them: its user is to
    /// know. That takes a look-up, once a minute, whether there is such an account or not.
    pub(super) async fn note_limited(&self, email: Option<&Email>) {
        const KIND: EventKind = EventKind::AttemptsLimited;
        let trail = self.sessions.trail();
        let user = match email {
            Some(email) if trail.is_due(KIND, email.as_str()) => {
                self.store.user_by_email(email).await.ok().flatten()
            }
            _ => return trail.say(&trail.record(Event::new(KIND))),
        };
        trail.note(user.map_or_else(|| Event::new(KIND), |user| Event::of(KIND, &user.id)));
    }

    /// Whether the password is the stored one, or would be. An attempt that was wrong stays
    /// counted.
    pub(super) async fn matches(
        &self,
        guess: Guess,
        password: Password,
        stored: Option<String>,
    ) -> Result<bool, Error> {
        let matched = self.hashing.matches(password, stored).await;
        if !matches!(matched, Ok(false)) {
            self.attempts.give_back(guess).await;
        }
        Ok(matched?)
    }
}
