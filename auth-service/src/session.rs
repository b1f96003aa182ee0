//! Sessions: opened at sign-in, extended by use, ended by their user or by time.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use shared::clock::Clock;
use tokio::time::MissedTickBehavior;

use crate::{
    entity::{session, user},
    error::Error,
    random,
    session_token::{AtRest, SessionToken},
    store::{Held, NewSession, Store, Which},
};

/// A session that was extended this long ago or longer is extended by use (Better Auth's
/// `updateAge`), and one that was opened this long ago is no longer fresh (`freshAge`).
const DAY: TimeDelta = TimeDelta::days(1);

/// The longest user agent that is kept, in characters.
const USER_AGENT_CHARS: usize = 512;

/// How often expired sessions are looked for.
const SWEEP_PERIOD: Duration = Duration::from_hours(1);

/// Who opens a session, as far as the connection tells.
#[derive(Clone, Debug, Default)]
pub struct Device {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

impl Device {
    /// The other end of a connection, and what it says it is.
    pub fn new(peer: Option<SocketAddr>, user_agent: Option<&str>) -> Self {
        Self {
            ip_address: peer.map(|peer| peer.ip().to_canonical().to_string()),
            user_agent: user_agent.map(|text| text.chars().take(USER_AGENT_CHARS).collect()),
        }
    }
}

/// How long somebody who signs in means to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// For the configured lifetime, which use extends.
    Remembered,
    /// For a day at most, which nothing extends.
    Brief,
}

/// A live session and its user: the proof that a caller is signed in. Only [`Sessions`]
/// makes one, from a token.
pub struct SignedIn {
    session: session::Model,
    user: user::Model,
    extended: bool,
}

impl SignedIn {
    pub fn session(&self) -> &session::Model {
        &self.session
    }

    pub fn user(&self) -> &user::Model {
        &self.user
    }

    /// Whether this very call moved the session's end.
    pub fn was_extended(&self) -> bool {
        self.extended
    }
}

/// A session that was just opened, with the token that opens it.
pub struct Opened {
    pub token: SessionToken,
    pub session: session::Model,
}

/// Opens, resumes and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    lifetime: TimeDelta,
    at_rest: AtRest,
    clock: Arc<dyn Clock>,
}

impl Sessions {
    /// Sessions in `store` that live for `lifetime` after their last extension.
    pub fn new(store: Store, lifetime: Duration, at_rest: AtRest, clock: Arc<dyn Clock>) -> Self {
        let lifetime = TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::days(36_500));
        Self { store, lifetime, at_rest, clock }
    }

    /// Opens a session for a user who has just signed in with the password whose stored
    /// form is `verified`; unless it was changed since, which counts as a wrong password.
    pub async fn open(
        &self,
        user_id: &str,
        verified: Option<&str>,
        device: Device,
        stay: Stay,
    ) -> Result<Opened, Error> {
        let (token, mut session) = self.prepare(user_id, device, stay)?;
        if self.store.open_session(&mut session, verified).await? != Held::Yes {
            return Err(Error::InvalidEmailOrPassword);
        }
        Ok(Opened::new(token, session))
    }

    /// A session that is not stored yet, for a caller that stores it with something else.
    pub fn prepare(
        &self,
        user_id: &str,
        device: Device,
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
            token: token.at_rest(self.at_rest),
            user_id: user_id.to_owned(),
            ip_address: device.ip_address,
            user_agent: device.user_agent,
            now,
            expires_at: now + lifetime,
        };
        Ok((token, session))
    }

    /// The live session that `token` opens, extended if it was not for a day.
    pub async fn resume(&self, token: &SessionToken) -> Result<SignedIn, Error> {
        let mut caller = self.resume_as_it_is(token).await?;
        let session = &mut caller.session;
        let now = self.now();
        let is_due = session.expires_at - self.lifetime + DAY <= now;
        if is_due && self.stay(session) == Stay::Remembered {
            let expires_at = now + self.lifetime;
            if !self.store.extend_session(&session.id, now, expires_at).await? {
                return Err(Error::InvalidSession);
            }
            (session.updated_at, session.expires_at) = (now, expires_at);
            caller.extended = true;
        }
        Ok(caller)
    }

    /// The live session that `token` opens, its end left where it is.
    pub async fn resume_as_it_is(&self, token: &SessionToken) -> Result<SignedIn, Error> {
        let forms = [token.at_rest(AtRest::Hashed), token.at_rest(AtRest::Plain)];
        let found = self.store.session_by_token(forms).await?;
        let session = found.ok_or(Error::InvalidSession)?;
        if session.expires_at <= self.now() {
            self.store.end_sessions(&session.user_id, Which::One(&session.id)).await?;
            return Err(Error::InvalidSession);
        }
        let user = self.store.user(&session.user_id).await?.ok_or(Error::InvalidSession)?;
        Ok(SignedIn { session, user, extended: false })
    }

    /// What whoever opened `session` chose. Only its row tells, so that no caller can
    /// choose again: a brief one spans a day at most, where others span more.
    pub fn stay(&self, session: &session::Model) -> Stay {
        let span = session.expires_at - session.created_at;
        if span <= DAY && self.lifetime > DAY { Stay::Brief } else { Stay::Remembered }
    }

    /// How long a session lives after its last extension.
    pub fn lifetime(&self) -> TimeDelta {
        self.lifetime
    }

    /// Refuses what only a recent sign-in may do.
    pub fn require_fresh(&self, caller: &SignedIn) -> Result<(), Error> {
        let fresh = self.now() - caller.session.created_at < DAY;
        if fresh { Ok(()) } else { Err(Error::SessionNotFresh) }
    }

    /// The caller's live sessions, newest first.
    pub async fn list(&self, caller: &SignedIn) -> Result<Vec<session::Model>, Error> {
        self.require_fresh(caller)?;
        Ok(self.store.sessions(&caller.user.id, self.now()).await?)
    }

    /// Ends sessions of the caller.
    pub async fn end(&self, caller: &SignedIn, which: Which<'_>) -> Result<(), Error> {
        self.store.end_sessions(&caller.user.id, which).await?;
        Ok(())
    }

    /// Removes sessions that have expired, now and again, of users who did not come back.
    /// They open nothing: a failure waits for the next round. Never ends.
    pub async fn sweep(self) {
        let mut rounds = tokio::time::interval(SWEEP_PERIOD);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            match self.store.remove_expired_sessions(self.now()).await {
                Ok(removed) => tracing::debug!(removed, "expired sessions swept"),
                Err(error) => tracing::warn!(%error, "cannot sweep expired sessions"),
            }
        }
    }

    /// Now, as precise as the tables keep it.
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
        Self { token, session }
    }
}
