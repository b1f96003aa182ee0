//! Sessions: opened at sign-in, extended by use, ended by their user or by time.

mod cleanup;
mod known_client;
mod last_use;
mod resume;
mod rules;
mod token_rotation;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use server::{
    ClientInfo,
    audit_log::{AuditLog, Event, EventKind, Page, PageRequest},
};
use shared::{auth::Keyring, clock::Clock, error::Refusal};

use self::last_use::LastUses;
pub use self::{
    last_use::Listed,
    rules::{SETTINGS, SessionRules},
    token_rotation::Refreshed,
};
use crate::{
    entity::{session, user},
    error::Error,
    random,
    rate_limit::InvalidTokens,
    restriction::SignInRules,
    session_token::SessionToken,
    store::{Ended, NewSession, Opening, Store, Which},
};

/// A session that was extended this long ago or longer is extended by use (Better Auth's
/// `updateAge`), and one that was opened this long ago is no longer fresh (`freshAge`).
const DAY: TimeDelta = TimeDelta::days(1);

/// The kind of a session: remembered, or ending with the browser session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// For the configured lifetime, which use extends.
    Remembered,
    /// For a day at most, never extended.
    Brief,
}

/// A live session and its user: the proof that a caller is signed in. Only [`Sessions`] makes
/// one, from a token.
pub struct SignedIn {
    session: session::Model,
    user: user::Model,
    client: ClientInfo,
    extended: bool,
    superseded: bool,
}

impl SignedIn {
    pub fn session(&self) -> &session::Model {
        &self.session
    }

    pub fn user(&self) -> &user::Model {
        &self.user
    }

    /// The client of this call.
    pub fn client(&self) -> &ClientInfo {
        &self.client
    }

    /// Whether this call extended the session.
    pub fn was_extended(&self) -> bool {
        self.extended
    }

    /// Whether the token was replaced and is in its grace period. It may have been replaced
    /// since, too: [`Sessions::latest`] is the current one.
    pub fn is_superseded(&self) -> bool {
        self.superseded
    }
}

/// A session that was just opened, with the token that opens it.
pub struct Opened {
    pub token: SessionToken,
    pub session: session::Model,
    /// Whether an expired ban was removed from the user's row.
    pub lifted_ban: bool,
}

/// The sessions of users.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    rules: SessionRules,
    lifetime: TimeDelta,
    max_age: Option<TimeDelta>,
    grace: TimeDelta,
    keys: Arc<Keyring>,
    last_uses: LastUses,
    invalid_tokens: InvalidTokens,
    clock: Arc<dyn Clock>,
    audit_log: AuditLog,
}

impl Sessions {
    /// Sessions in `store` by these rules. `keys` derive successor tokens; invalid tokens are
    /// counted in `invalid_tokens`.
    pub fn new(
        store: Store,
        rules: SessionRules,
        keys: Arc<Keyring>,
        invalid_tokens: InvalidTokens,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let span = |span: Duration| TimeDelta::from_std(span).unwrap_or(TimeDelta::days(36_500));
        let max_age = rules.max_age.map(span);
        let lifetime = span(rules.lifetime);
        Self {
            store,
            rules,
            lifetime: max_age.map_or(lifetime, |most| most.min(lifetime)),
            max_age,
            grace: span(rules.rotation_grace),
            keys,
            last_uses: LastUses::default(),
            invalid_tokens,
            clock,
            audit_log: AuditLog::default(),
        }
    }

    /// Adds the audit log.
    pub fn with_audit_log(self, audit_log: AuditLog) -> Self {
        Self {
            invalid_tokens: self.invalid_tokens.with_audit_log(audit_log.clone()),
            audit_log,
            ..self
        }
    }

    /// The audit log of sessions and their users.
    pub fn audit_log(&self) -> &AuditLog {
        &self.audit_log
    }

    /// Opens a session for a user whose password was verified against the stored hash `verified`.
    /// A password changed since counts as wrong; a restricted user is refused.
    pub async fn open(
        &self,
        user_id: &str,
        verified: Option<&str>,
        client: &ClientInfo,
        stay: Stay,
    ) -> Result<Opened, Error> {
        let (token, mut session) = self.prepare(user_id, client, stay)?;
        let (most, rules) = (self.rules.per_user, self.rules.sign_in);
        let opening = self.store.open_session(&mut session, verified, most, rules).await?;
        let (ended, lifted_ban) = match opening {
            Opening::Opened { ended, lifted_ban } => (ended, lifted_ban),
            Opening::PasswordChanged => return Err(Refusal::InvalidEmailOrPassword.into()),
            Opening::Refused(restriction) => return Err(restriction.into()),
        };
        if ended > 0 {
            let event = Event::of(EventKind::SessionEnded, user_id);
            self.audit_log.record(event.with_detail(ended.to_string()));
        }
        Ok(Opened { lifted_ban, ..Opened::new(token, session) })
    }

    /// A session that is not stored yet: the caller stores it in its own transaction.
    pub fn prepare(
        &self,
        user_id: &str,
        client: &ClientInfo,
        stay: Stay,
    ) -> Result<(SessionToken, NewSession), Error> {
        let now = self.now();
        let lifetime = match stay {
            Stay::Remembered => self.lifetime,
            Stay::Brief => self.lifetime.min(DAY),
        };
        let token = SessionToken::generate()?;
        let session = NewSession {
            id: random::id()?,
            token: token.at_rest(self.rules.tokens_at_rest),
            user_id: user_id.to_owned(),
            ip_address: client.address().map(|address| address.to_string()),
            user_agent: client.user_agent().map(str::to_owned),
            now,
            expires_at: now + lifetime,
        };
        Ok((token, session))
    }

    /// A session that replaces `session`, for the same client and with the same lifetime.
    pub fn prepare_replacement(
        &self,
        session: &session::Model,
    ) -> Result<(SessionToken, NewSession), Error> {
        let nobody = ClientInfo::default();
        let (token, new) = self.prepare(&session.user_id, &nobody, self.stay(session))?;
        let (ip_address, user_agent) = (session.ip_address.clone(), session.user_agent.clone());
        Ok((token, NewSession { ip_address, user_agent, ..new }))
    }

    /// `end`, limited by the maximum age of `session`.
    fn capped(&self, session: &session::Model, end: DateTime<Utc>) -> DateTime<Utc> {
        let last = self.max_age.and_then(|most| session.created_at.checked_add_signed(most));
        last.map_or(end, |last| end.min(last))
    }

    /// The opening time of sessions that have reached the maximum age.
    fn oldest(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.max_age.map_or(DateTime::UNIX_EPOCH, |most| now - most)
    }

    /// The kind of `session`. Only its row determines it, so that no caller can change it: a
    /// brief one spans a day at most, others span more.
    pub fn stay(&self, session: &session::Model) -> Stay {
        let span = session.expires_at - session.created_at;
        if span <= DAY && self.lifetime > DAY { Stay::Brief } else { Stay::Remembered }
    }

    /// The rules of sign-in.
    pub fn sign_in_rules(&self) -> SignInRules {
        self.rules.sign_in
    }

    /// The lifetime of a session after its last extension.
    pub fn lifetime(&self) -> TimeDelta {
        self.lifetime
    }

    /// Refuses callers who did not sign in recently.
    pub fn require_fresh(&self, caller: &SignedIn) -> Result<(), Error> {
        let fresh = self.now() - caller.session.created_at < DAY;
        if fresh { Ok(()) } else { Err(Error::Refused(Refusal::SessionNotFresh)) }
    }

    /// The caller's live sessions, newest first.
    pub async fn list(&self, caller: &SignedIn) -> Result<Vec<Listed>, Error> {
        self.require_fresh(caller)?;
        let now = self.now();
        let mut sessions = self.store.sessions(&caller.user.id, now, self.oldest(now)).await?;
        for session in &mut sessions {
            session.expires_at = self.capped(session, session.expires_at);
        }
        self.with_last_uses(sessions).await
    }

    /// Ends sessions of the caller, and returns how many.
    pub async fn end(&self, caller: &SignedIn, which: Which<'_>) -> Result<Ended, Error> {
        let ended = self.store.end_sessions(&caller.user.id, which).await?;
        let event = Event::of(EventKind::SessionEnded, &caller.user.id);
        match (ended.count, &ended.only) {
            (0, _) => {}
            (_, Some(id)) => self.audit_log.record(event.in_session(id)),
            (count, None) => {
                let event = event.in_session(&caller.session.id);
                self.audit_log.record(event.with_detail(count.to_string()));
            }
        }
        Ok(ended)
    }

    /// The security events of the caller's account, newest first. Events of a deleted user whose
    /// id another server reuses are left out.
    pub async fn security_events(
        &self,
        caller: &SignedIn,
        request: &PageRequest,
    ) -> Result<Page, Error> {
        Ok(self.store.security_events_of(&caller.user, request).await?)
    }

    /// The current time, in the precision of the tables.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(3)
    }
}

impl Opened {
    /// The session as it is stored now.
    pub fn new(token: SessionToken, session: NewSession) -> Self {
        let session = session::Model {
            id: session.id,
            expires_at: session.expires_at,
            token: session.token,
            created_at: session.now,
            updated_at: session.now,
            ip_address: session.ip_address,
            user_agent: session.user_agent,
            user_id: session.user_id,
        };
        Self { token, session, lifted_ban: false }
    }
}
