//! Passwords that somebody offers: counted, then hashed, then judged.

use server::{
    ClientInfo,
    audit_log::{Event, EventKind},
};

use super::Accounts;
use crate::{
    attempts::{Guess, Key},
    email::Email,
    entity::user,
    error::Error,
    password::Password,
    session::{Opened, SignedIn},
};

impl Accounts {
    /// The stored form of the caller's password, if it is the one that was given.
    pub(super) async fn verified_hash(
        &self,
        caller: &SignedIn,
        given: Password,
    ) -> Result<String, Error> {
        let client = caller.client();
        let stored = self.store.password_hash(&caller.user().id).await?;
        let stored = stored.ok_or(Error::NoPassword)?;
        // Stored in the canonical form, unless another server wrote it.
        let account = caller.user().email.trim().to_ascii_lowercase();
        let guess = self.guess(Some(&account), client).await;
        if let Err(Error::TooManyAttempts { by, .. }) = guess
            && by.is_about_an_account()
        {
            let event = Self::event(EventKind::AttemptsLimited, caller);
            self.sessions.trail().record_deduplicated(event, &account);
        }
        let guess = guess?;
        if self.matches(guess, given, Some(stored.clone()), client).await? {
            return Ok(stored);
        }
        self.sessions.trail().record(Self::event(EventKind::PasswordRefused, caller));
        Err(Error::InvalidPassword)
    }

    /// Counts an attempt at the password of an account, whether there is one or not.
    pub(super) async fn guess(
        &self,
        account: Option<&str>,
        client: &ClientInfo,
    ) -> Result<Guess, Error> {
        let is_home = async {
            let Some(account) = account else { return Ok(false) };
            self.sessions.are_open_from(client, account).await
        };
        self.attempts.at_password(account, client, is_home).await
    }

    /// Notes that attempts at an account were refused because of what was tried at it: its
    /// user is to know. That takes a look-up, once a minute, whether there is such an account
    /// or not; one that there is not leaves no row.
    pub(super) async fn note_limited(&self, email: &Email) {
        const KIND: EventKind = EventKind::AttemptsLimited;
        let trail = self.sessions.trail();
        let user = if trail.is_due(KIND, email.as_str()) {
            self.store.user_by_email(email).await.ok().flatten()
        } else {
            None
        };
        match user {
            Some(user) => trail.record(Event::of(KIND, &user.id)),
            None => trail.log_event(&trail.new_record(Event::new(KIND))),
        }
    }

    /// The account with this e-mail, and the stored form of its password. `guess` is given
    /// back if that cannot be read.
    pub(super) async fn named(
        &self,
        email: Option<&Email>,
        guess: Guess,
    ) -> Result<(Guess, Option<user::Model>, Option<String>), Error> {
        let look_up = async {
            let Some(email) = email else { return Ok((None, None)) };
            let Some(user) = self.store.user_by_email(email).await? else {
                return Ok((None, None));
            };
            let stored = self.store.password_hash(&user.id).await?;
            Ok((Some(user), stored))
        };
        match look_up.await {
            Ok((user, stored)) => Ok((guess, user, stored)),
            Err(error) => {
                self.attempts.give_back(guess).await;
                Err(error)
            }
        }
    }

    /// Notes how a sign-in went. One in the name of nobody is noted like any other; failures
    /// cost whoever fails nothing, so there are few rows of them.
    pub(super) fn note_sign_in(
        &self,
        user: Option<&user::Model>,
        opened: &Result<Opened, Error>,
        client: &ClientInfo,
    ) {
        let trail = self.sessions.trail();
        let of = |kind| user.map_or_else(|| Event::new(kind), |user| Event::of(kind, &user.id));
        match opened {
            Ok(opened) => {
                let event = of(EventKind::SignInSucceeded).in_session(&opened.session.id);
                trail.record(event);
            }
            Err(error @ (Error::InvalidEmailOrPassword | Error::Restricted(_))) => {
                let key = match user {
                    Some(user) => Key::account_from(&user.id, client),
                    None => Key::address(client),
                };
                let event = of(EventKind::SignInFailed);
                let (event, key) = match error {
                    Error::Restricted(why) => {
                        (event.with_detail(why.reason()), format!("{key} {}", why.reason()))
                    }
                    _ => (event, key.to_string()),
                };
                trail.record_deduplicated(event, &key);
            }
            Err(_) => {} // not the caller's fault
        }
    }

    /// Whether the password is the stored one, or would be. What was right stays counted as
    /// right, what was wrong as wrong.
    pub(super) async fn matches(
        &self,
        guess: Guess,
        password: Password,
        stored: Option<String>,
        client: &ClientInfo,
    ) -> Result<bool, Error> {
        let matched = self.hashing.matches(password, stored, client).await;
        match &matched {
            Ok(is_right) => self.attempts.judged(guess, *is_right).await,
            Err(_) => self.attempts.give_back(guess).await,
        }
        Ok(matched?)
    }
}
