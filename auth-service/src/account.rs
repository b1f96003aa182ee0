//! Accounts: the use cases around e-mail and password.

mod guess;

use server::{
    ClientInfo,
    audit_log::{Event, EventKind},
};
use shared::fields::Violations;

use crate::{
    attempts::Attempts,
    email::Email,
    entity::user,
    erasure::Erasures,
    error::Error,
    hashing::Hashing,
    password::{NewPassword, Password, PasswordFault, PasswordRules},
    profile::Image,
    random,
    session::{Opened, Sessions, SignedIn, Stay},
    store::{Held, LinkedAccount, NewUser, Still, Store, UserPatch},
};

/// What somebody who signs up says about themselves.
pub struct Application {
    pub email: Email,
    pub password: NewPassword,
    pub name: String,
    pub image: Image,
}

/// Signs people up and in, and changes their accounts.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    sessions: Sessions,
    hashing: Hashing,
    attempts: Attempts,
    erasures: Option<Erasures>,
    password_rules: PasswordRules,
}

impl Accounts {
    /// Accounts in `store`. With `erasures`, what else is kept of a user goes with the account.
    pub fn new(
        store: Store,
        sessions: Sessions,
        hashing: Hashing,
        attempts: Attempts,
        erasures: Option<Erasures>,
        password_rules: PasswordRules,
    ) -> Self {
        Self { store, sessions, hashing, attempts, erasures, password_rules }
    }

    /// The rules for new passwords.
    pub fn password_rules(&self) -> PasswordRules {
        self.password_rules
    }

    /// Makes an account and opens its first session.
    ///
    /// The password is hashed whether or not the e-mail is taken, and only the database's
    /// unique index decides that: two at once cannot both win, and time tells nothing.
    pub async fn sign_up(
        &self,
        application: Application,
        client: &ClientInfo,
        stay: Stay,
    ) -> Result<(user::Model, Opened), Error> {
        if self.sessions.sign_in_rules().needs_verified_email {
            return Err(Error::SignUpDisabled); // nobody can prove an address here
        }
        self.attempts.at_sign_up(client).await?;
        self.store.database().check_space()?;
        let Application { email, password, name, image } = application;
        let known = [email.as_str(), email.local_part(), &name];
        let password = self.uncommon("password", password, known, client).await?;
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
            return Err(Error::EmailTaken);
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
        self.sessions.trail().record(event);
        Ok((user, Opened::new(token, session)))
    }

    /// Opens a session for an account. Who is unknown, has no password or gives a wrong
    /// one gets the same answer after the same work.
    pub async fn sign_in(
        &self,
        email: Option<&Email>,
        password: Password,
        client: &ClientInfo,
        stay: Stay,
    ) -> Result<(user::Model, Opened), Error> {
        // Before anything that differs between accounts.
        self.store.database().check_space()?;
        let guess = self.guess(email.map(Email::as_str), client).await;
        if let (Err(Error::TooManyAttempts { by, .. }), Some(email)) = (&guess, email)
            && by.is_about_an_account()
        {
            self.note_limited(email).await;
        }
        let (guess, user, stored) = self.named(email, guess?).await?;
        let right = self.matches(guess, password, stored.clone(), client).await?;
        let opened = match &user {
            Some(user) if right => {
                self.sessions.open(&user.id, stored.as_deref(), client, stay).await
            }
            _ => Err(Error::InvalidEmailOrPassword),
        };
        self.note_sign_in(user.as_ref(), &opened, client);
        let opened = opened?;
        let mut user = user.ok_or(Error::InvalidEmailOrPassword)?;
        if opened.lifted_ban {
            user.updated_at = opened.session.created_at;
        }
        Ok((user, opened))
    }

    /// What happened to the caller.
    fn event(kind: EventKind, caller: &SignedIn) -> Event {
        Event::of(kind, &caller.user().id).in_session(&caller.session().id)
    }

    /// Changes what the patch names.
    pub async fn update(&self, caller: &SignedIn, patch: UserPatch) -> Result<user::Model, Error> {
        self.store.database().check_space()?;
        let now = self.sessions.now();
        let updated = self.store.update_user(&caller.user().id, patch, now).await?;
        let updated = updated.ok_or(Error::InvalidSession)?;
        let event = Self::event(EventKind::UserUpdated, caller);
        self.sessions.trail().record_deduplicated(event, &caller.user().id);
        Ok(updated)
    }

    /// Replaces the password; with `revoke` also every session by a new one, which lasts as
    /// the caller's was to.
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
        let new = self.uncommon("new_password", new, known, client).await?;
        let password_hash = self.hashing.hash(new, client).await?;
        let mut instead =
            if revoke { Some(self.sessions.prepare_instead(caller.session())?) } else { None };
        let session = instead.as_mut().map(|(_, session)| session);
        let now = self.sessions.now();
        let still = still(caller, Some(&verified));
        let record =
            self.sessions.trail().new_record(Self::event(EventKind::PasswordChanged, caller));
        let changed =
            self.store.change_password(&user.id, still, password_hash, session, &record, now);
        expect_held(changed.await?)?;
        self.sessions.trail().log_event(&record);
        Ok(instead.map(|(token, session)| Opened::new(token, session)))
    }

    /// Whether the password is the caller's.
    pub async fn verify_password(&self, caller: &SignedIn, given: Password) -> Result<(), Error> {
        self.verified_hash(caller, given).await.map(drop)
    }

    /// Deletes the caller's account, confirmed by the password or a fresh session. What is
    /// kept elsewhere follows, at once if it can.
    pub async fn delete(&self, caller: &SignedIn, confirm: Option<Password>) -> Result<(), Error> {
        let verified = if let Some(password) = confirm {
            Some(self.verified_hash(caller, password).await?)
        } else {
            self.sessions.require_fresh(caller)?;
            None
        };
        let still = still(caller, verified.as_deref());
        let record =
            self.sessions.trail().new_record(Self::event(EventKind::AccountDeleted, caller));
        let erasure = self.erasures.as_ref().map(Erasures::order);
        expect_held(self.store.delete_user(&caller.user().id, still, &record, erasure).await?)?;
        self.sessions.trail().log_event(&record);
        if let Some(erasures) = &self.erasures {
            erasures.wake();
        }
        Ok(())
    }

    /// The ways in which the caller can sign in, the oldest first.
    pub async fn linked(&self, caller: &SignedIn) -> Result<Vec<LinkedAccount>, Error> {
        Ok(self.store.linked_accounts(&caller.user().id).await?)
    }

    /// Gives `password` back unless it is a common one or repeats one of `known`, which is
    /// what everybody knows about the account.
    async fn uncommon(
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

/// What was found of `caller` before the hash, and must still hold after it.
fn still<'a>(caller: &'a SignedIn, verified: Option<&'a str>) -> Still<'a> {
    Still { password_hash: verified, session_id: Some(&caller.session().id) }
}

fn expect_held(held: Held) -> Result<(), Error> {
    match held {
        Held::Yes => Ok(()),
        Held::PasswordChanged => Err(Error::InvalidPassword),
        Held::SessionEnded => Err(Error::InvalidSession),
    }
}
