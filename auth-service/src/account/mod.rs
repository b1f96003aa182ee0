//! Accounts: sign-up, sign-in, changes and deletion.

mod password_check;

use server::{
    ClientInfo,
    audit_log::{Event, EventKind},
};
use shared::{error::Refusal, fields::Violations};

use crate::{
    email::Email,
    entity::user,
    erasure::Erasures,
    error::Error,
    password::hashing::Hashing,
    password::{NewPassword, Password, PasswordFault, PasswordRules},
    profile::Image,
    random,
    rate_limit::RateLimiter,
    session::{Opened, Sessions, SignedIn, Stay},
    store::{LinkedAccount, NewUser, Precondition, PreconditionCheck, Store, UserPatch},
};

/// A new account, as its user gives it at sign-up.
pub struct NewAccount {
    pub email: Email,
    pub password: NewPassword,
    pub name: String,
    pub image: Image,
}

/// The use cases of accounts.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    sessions: Sessions,
    hashing: Hashing,
    rate_limiter: RateLimiter,
    erasures: Option<Erasures>,
    password_rules: PasswordRules,
}

impl Accounts {
    /// Accounts in `store`; `erasures` remove a deleted user's tasks.
    pub fn new(
        store: Store,
        sessions: Sessions,
        hashing: Hashing,
        rate_limiter: RateLimiter,
        erasures: Option<Erasures>,
        password_rules: PasswordRules,
    ) -> Self {
        Self { store, sessions, hashing, rate_limiter, erasures, password_rules }
    }

    /// The rules for new passwords.
    pub fn password_rules(&self) -> PasswordRules {
        self.password_rules
    }

    /// Makes an account and opens its first session.
    ///
    /// The password is hashed whether or not the e-mail is taken, and the unique index alone
    /// decides that: concurrent sign-ups cannot both win, and the response time tells nothing.
    pub async fn sign_up(
        &self,
        account: NewAccount,
        client: &ClientInfo,
        stay: Stay,
    ) -> Result<(user::Model, Opened), Error> {
        if self.sessions.sign_in_rules().needs_verified_email {
            return Err(Refusal::SignUpDisabled.into()); // no e-mail is verified here
        }
        self.rate_limiter.take_sign_up(client).await?;
        self.store.database().check_space()?;
        let NewAccount { email, password, name, image } = account;
        let known = [email.as_str(), email.local_part(), &name];
        let password = self.reject_common("password", password, known, client).await?;
        let password_hash = self.hashing.hash(password, client).await?;
        let mut new_user = NewUser {
            id: random::id()?,
            email,
            name,
            image,
            password_hash,
            now: self.sessions.now(),
        };
        let (token, mut session) = self.sessions.prepare(&new_user.id, client, stay)?;
        if !self.store.create_user(&mut new_user, &mut session).await? {
            return Err(Refusal::EmailTaken.into());
        }
        let user = user::Model {
            id: new_user.id,
            name: new_user.name,
            email: new_user.email.as_str().to_owned(),
            email_verified: false,
            image: new_user.image.0,
            created_at: new_user.now,
            updated_at: new_user.now,
        };
        let event = Event::of(EventKind::SignedUp, &user.id).in_session(&session.id);
        self.sessions.audit_log().record(event);
        Ok((user, Opened::new(token, session)))
    }

    /// Opens a session for an account. An unknown e-mail, an account without a password and a
    /// wrong password get the same error after the same work.
    pub async fn sign_in(
        &self,
        email: Option<&Email>,
        password: Password,
        client: &ClientInfo,
        stay: Stay,
    ) -> Result<(user::Model, Opened), Error> {
        // Before anything that differs between accounts.
        self.store.database().check_space()?;
        let attempt = self.take_attempt(email.map(Email::as_str), client).await;
        if let (Err(Error::TooManyAttempts { by, .. }), Some(email)) = (&attempt, email)
            && by.concerns_the_account()
        {
            self.record_rate_limited(email).await;
        }
        let (attempt, user, stored) = self.find_account(email, attempt?).await?;
        let right = self.check_password(attempt, password, stored.clone(), client).await?;
        let opened = match &user {
            Some(user) if right => {
                self.sessions.open(&user.id, stored.as_deref(), client, stay).await
            }
            _ => Err(Refusal::InvalidEmailOrPassword.into()),
        };
        self.record_sign_in(user.as_ref(), &opened, client);
        let opened = opened?;
        let mut user = user.ok_or(Refusal::InvalidEmailOrPassword)?;
        if opened.lifted_ban {
            user.updated_at = opened.session.created_at;
        }
        Ok((user, opened))
    }

    /// An audit event of the caller.
    fn event(kind: EventKind, caller: &SignedIn) -> Event {
        Event::of(kind, &caller.user().id).in_session(&caller.session().id)
    }

    /// Changes the fields of the patch.
    pub async fn update(&self, caller: &SignedIn, patch: UserPatch) -> Result<user::Model, Error> {
        self.store.database().check_space()?;
        let now = self.sessions.now();
        let updated = self.store.update_user(&caller.user().id, patch, now).await?;
        let updated = updated.ok_or(Refusal::InvalidSession)?;
        let event = Self::event(EventKind::UserUpdated, caller);
        self.sessions.audit_log().record_deduplicated(event, &caller.user().id);
        Ok(updated)
    }

    /// Replaces the password; with `revoke`, also every session by a new one with the lifetime of
    /// the caller's.
    pub async fn change_password(
        &self,
        caller: &SignedIn,
        current: Password,
        new: NewPassword,
        revoke: bool,
    ) -> Result<Option<Opened>, Error> {
        let (user, client) = (caller.user(), caller.client());
        let verified = self.verified_hash(caller, current).await?;
        let known = [user.email.as_str(), Email::local_part_of(&user.email), &user.name];
        let new = self.reject_common("new_password", new, known, client).await?;
        let password_hash = self.hashing.hash(new, client).await?;
        let mut replacement =
            if revoke { Some(self.sessions.prepare_replacement(caller.session())?) } else { None };
        let session = replacement.as_mut().map(|(_, session)| session);
        let now = self.sessions.now();
        let precondition = precondition(caller, Some(&verified));
        let record =
            self.sessions.audit_log().new_record(Self::event(EventKind::PasswordChanged, caller));
        let changed = self.store.change_password(
            &user.id,
            precondition,
            password_hash,
            session,
            &record,
            now,
        );
        expect_met(changed.await?)?;
        self.sessions.audit_log().log_event(&record);
        Ok(replacement.map(|(token, session)| Opened::new(token, session)))
    }

    /// Checks that the password is the caller's.
    pub async fn verify_password(&self, caller: &SignedIn, given: Password) -> Result<(), Error> {
        self.verified_hash(caller, given).await.map(drop)
    }

    /// Deletes the caller's account, confirmed by the password or a fresh session. The erasure of
    /// the tasks follows, at once if possible.
    pub async fn delete(&self, caller: &SignedIn, confirm: Option<Password>) -> Result<(), Error> {
        let verified = if let Some(password) = confirm {
            Some(self.verified_hash(caller, password).await?)
        } else {
            self.sessions.require_fresh(caller)?;
            None
        };
        let precondition = precondition(caller, verified.as_deref());
        let record =
            self.sessions.audit_log().new_record(Self::event(EventKind::AccountDeleted, caller));
        let erasure = self.erasures.as_ref().map(Erasures::new_erasure);
        expect_met(
            self.store.delete_user(&caller.user().id, precondition, &record, erasure).await?,
        )?;
        self.sessions.audit_log().log_event(&record);
        if let Some(erasures) = &self.erasures {
            erasures.wake();
        }
        Ok(())
    }

    /// The caller's linked accounts, the oldest first.
    pub async fn linked(&self, caller: &SignedIn) -> Result<Vec<LinkedAccount>, Error> {
        Ok(self.store.linked_accounts(&caller.user().id).await?)
    }

    /// Returns `password` unless it is common or repeats one of `known`, the public facts about
    /// the account.
    async fn reject_common(
        &self,
        field: &'static str,
        password: NewPassword,
        known: [&str; 3],
        client: &ClientInfo,
    ) -> Result<Password, Error> {
        let known = known.map(str::to_owned).to_vec();
        let (password, common) = self.hashing.is_common(password.into(), known, client).await?;
        if common {
            return Err(Error::CommonPassword(Violations::one(field, PasswordFault::Common)));
        }
        Ok(password)
    }
}

/// The precondition of a write: the caller's session, and the password that was verified, still
/// hold.
fn precondition<'a>(caller: &'a SignedIn, verified: Option<&'a str>) -> Precondition<'a> {
    Precondition { password_hash: verified, session_id: Some(&caller.session().id) }
}

fn expect_met(check: PreconditionCheck) -> Result<(), Error> {
    match check {
        PreconditionCheck::Met => Ok(()),
        PreconditionCheck::PasswordChanged => Err(Refusal::InvalidPassword.into()),
        PreconditionCheck::SessionEnded => Err(Refusal::InvalidSession.into()),
    }
}
