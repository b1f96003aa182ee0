//! Password check: rate limited, then hashed, then compared.

use server::{
    ClientInfo,
    audit_log::{Event, EventKind},
};
use shared::error::Refusal;

use super::Accounts;
use crate::{
    email::Email,
    entity::user,
    error::Error,
    password::Password,
    rate_limit::{Key, PasswordAttempt},
    session::{Opened, SignedIn},
};

impl Accounts {
    /// The stored hash of the caller's password, if the given password matches.
    pub(super) async fn verified_hash(
        &self,
        caller: &SignedIn,
        given: Password,
    ) -> Result<String, Error> {
        let client = caller.client();
        let stored = self.store.password_hash(&caller.user().id).await?;
        let stored = stored.ok_or(Refusal::NoPassword)?;
        // Stored in the canonical form, unless another server wrote it.
        let account = caller.user().email.trim().to_ascii_lowercase();
        let attempt = self.take_attempt(Some(&account), client).await;
        if let Err(Error::TooManyAttempts { by, .. }) = attempt
            && by.concerns_the_account()
        {
            let event = Self::event(EventKind::AttemptsLimited, caller);
            self.sessions.audit_log().record_deduplicated(event, &account);
        }
        let attempt = attempt?;
        if self.check_password(attempt, given, Some(stored.clone()), client).await? {
            return Ok(stored);
        }
        self.sessions.audit_log().record(Self::event(EventKind::PasswordRefused, caller));
        Err(Refusal::InvalidPassword.into())
    }

    /// Takes a rate limit attempt at the password of an account, which need not exist.
    pub(super) async fn take_attempt(
        &self,
        account: Option<&str>,
        client: &ClientInfo,
    ) -> Result<PasswordAttempt, Error> {
        let is_known_client = async {
            let Some(account) = account else { return Ok(false) };
            self.sessions.is_known_client(client, account).await
        };
        self.rate_limiter.take_password(account, client, is_known_client).await
    }

    /// Records that attempts at an account were refused because of attempts at that account: its
    /// user is to know. The look-up happens once a minute, whether the account exists or not; an
    /// unknown account leaves no row.
    pub(super) async fn record_rate_limited(&self, email: &Email) {
        const KIND: EventKind = EventKind::AttemptsLimited;
        let audit_log = self.sessions.audit_log();
        let user = if audit_log.is_due(KIND, email.as_str()) {
            self.store.user_by_email(email).await.ok().flatten()
        } else {
            None
        };
        match user {
            Some(user) => audit_log.record(Event::of(KIND, &user.id)),
            None => audit_log.log_event(&audit_log.new_record(Event::new(KIND))),
        }
    }

    /// The account with this e-mail, and its stored password hash. The attempt is refunded if
    /// they cannot be read.
    pub(super) async fn find_account(
        &self,
        email: Option<&Email>,
        attempt: PasswordAttempt,
    ) -> Result<(PasswordAttempt, Option<user::Model>, Option<String>), Error> {
        let look_up = async {
            let Some(email) = email else { return Ok((None, None)) };
            let Some(user) = self.store.user_by_email(email).await? else {
                return Ok((None, None));
            };
            let stored = self.store.password_hash(&user.id).await?;
            Ok((Some(user), stored))
        };
        match look_up.await {
            Ok((user, stored)) => Ok((attempt, user, stored)),
            Err(error) => {
                self.rate_limiter.refund(attempt).await;
                Err(error)
            }
        }
    }

    /// Records the outcome of a sign-in, also without an account. Failures cost a client nothing,
    /// so they are deduplicated.
    pub(super) fn record_sign_in(
        &self,
        user: Option<&user::Model>,
        opened: &Result<Opened, Error>,
        client: &ClientInfo,
    ) {
        let audit_log = self.sessions.audit_log();
        let event_of =
            |kind| user.map_or_else(|| Event::new(kind), |user| Event::of(kind, &user.id));
        match opened {
            Ok(opened) => {
                let event = event_of(EventKind::SignInSucceeded).in_session(&opened.session.id);
                audit_log.record(event);
            }
            Err(
                error @ (Error::Refused(Refusal::InvalidEmailOrPassword) | Error::Restricted(_)),
            ) => {
                let key = match user {
                    Some(user) => Key::account_from(&user.id, client),
                    None => Key::address(client),
                };
                let event = event_of(EventKind::SignInFailed);
                let (event, key) = match error {
                    Error::Restricted(why) => {
                        let reason = why.refusal().reason();
                        (event.with_detail(reason), format!("{key} {reason}"))
                    }
                    _ => (event, key.to_string()),
                };
                audit_log.record_deduplicated(event, &key);
            }
            Err(_) => {} // not the caller's fault
        }
    }

    /// Whether the password matches the stored hash. A missing hash takes as long. The attempt
    /// stays counted by its outcome.
    pub(super) async fn check_password(
        &self,
        attempt: PasswordAttempt,
        password: Password,
        stored: Option<String>,
        client: &ClientInfo,
    ) -> Result<bool, Error> {
        let matched = self.hashing.matches(password, stored, client).await;
        match &matched {
            Ok(is_right) => self.rate_limiter.settle(attempt, *is_right).await,
            Err(_) => self.rate_limiter.refund(attempt).await,
        }
        Ok(matched?)
    }
}
