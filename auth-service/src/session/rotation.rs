//! Session tokens that are replaced, for clients that ask.
//!
//! A token has one successor, which follows from the token and the secret: two tabs that ask
//! at once, and a client that never saw the answer and asks again, get the same one. For a
//! grace the replaced token still opens the session, so that nobody who is a moment behind
//! is signed out; it extends nothing, and where an answer brings a token it is the one that
//! is current: an answer that comes late must not bring back one that is about to die.
//!
//! After the grace somebody who holds a replaced token is either a thief or the victim of
//! one. Nobody can tell which, so the session ends for both.
//!
//! Every replaced token is known for the same time, whatever came after it: were there a
//! number of them to be known, a thief could rotate until the victim's is forgotten. What
//! bounds their number is that a token is not replaced before it has some age.

use std::time::Duration;

use chrono::{DateTime, Utc};
use server::{
    ClientInfo,
    audit_log::{Event, EventKind},
};

use super::{Sessions, SignedIn};
use crate::{
    entity::session,
    error::Error,
    session_token::{AtRest, SessionToken},
    store::Rotated,
};

/// A session whose token was replaced, and the token that opens it from now on.
pub struct Refreshed {
    pub signed_in: SignedIn,
    pub token: SessionToken,
}

/// How old a token is at least when it is replaced, if it replaced one itself. A session has
/// 8640 in the 30 days that they are known. Not less than the longest grace.
pub(super) const APART: Duration = Duration::from_mins(5);

/// More than anybody within its grace can be behind.
const STEPS: usize = 8;

impl Sessions {
    /// Replaces the token of the session that it opens, if it is not [too young](APART). The
    /// session stays what it is: its id, when it was opened, and when it ends.
    pub async fn refresh(
        &self,
        token: &SessionToken,
        client: &ClientInfo,
    ) -> Result<Refreshed, Error> {
        self.counting_dead(client, self.rotated(token, client)).await
    }

    async fn rotated(&self, token: &SessionToken, client: &ClientInfo) -> Result<Refreshed, Error> {
        let mut signed_in = self.extended(token, client).await?;
        let is_young = !signed_in.superseded && self.is_young(token, &signed_in).await?;
        if !signed_in.superseded && !is_young {
            let successor = token.successors(&self.keys).into_iter().next();
            let successor = successor.ok_or(Error::Unsigned)?;
            let rotated = || Rotated {
                token_hash: token.at_rest(AtRest::Hashed),
                successor_hash: successor.at_rest(AtRest::Hashed),
                session_id: signed_in.session.id.clone(),
                user_id: signed_in.session.user_id.clone(),
                rotated_at: self.now(),
            };
            let stored = successor.at_rest(self.rules.tokens_at_rest);
            let user_id = &signed_in.user.id;
            if self.store.rotate(user_id, token.stored_forms(), &stored, rotated).await? {
                signed_in.session.token = stored;
                return Ok(Refreshed { signed_in, token: successor });
            }
            // Somebody was faster, or has ended the session meanwhile.
        }
        let latest = self.latest(token).await?;
        let latest = latest.filter(|latest| is_young || latest.reveal() != token.reveal());
        Ok(Refreshed { signed_in, token: latest.ok_or(Error::InvalidSession)? })
    }

    /// Whether the token that is current replaced one a moment ago. Nobody has to be kept
    /// out for that: when a token was made never changes.
    async fn is_young(&self, token: &SessionToken, signed_in: &SignedIn) -> Result<bool, Error> {
        let (hash, since) = (token.at_rest(AtRest::Hashed), self.now() - APART);
        Ok(self.store.replaced_one_since(&signed_in.session.id, &hash, since).await?)
    }

    /// The token that opens now what `token` opens or opened: itself, or what has come of
    /// it. `None`: it cannot be told, because a secret that made one is known no more.
    pub async fn latest(&self, token: &SessionToken) -> Result<Option<SessionToken>, Error> {
        let mut latest = token.clone();
        for _ in 0..STEPS {
            let hash = latest.at_rest(AtRest::Hashed);
            let Some(rotated) = self.store.rotated(&hash).await? else {
                return Ok(Some(latest));
            };
            let mut successors = latest.successors(&self.keys).into_iter();
            let next = successors.find(|one| one.at_rest(AtRest::Hashed) == rotated.successor_hash);
            let Some(next) = next else { return Ok(None) };
            latest = next;
        }
        Ok(None)
    }

    /// The session that `token` opened until it was replaced, within the grace; or one that
    /// has expired and is dead anyway, which is no alarm.
    /// `now` is when the call began: it may take longer than the grace.
    pub(super) async fn by_replaced(
        &self,
        token: &SessionToken,
        now: DateTime<Utc>,
    ) -> Result<session::Model, Error> {
        let rotated = self.store.rotated(&token.at_rest(AtRest::Hashed)).await?;
        let rotated = rotated.ok_or(Error::InvalidSession)?;
        let session = self.store.session_of(&rotated).await?.ok_or(Error::InvalidSession)?;
        let has_expired = self.capped(&session, session.expires_at) <= now;
        if has_expired || now - rotated.rotated_at < self.grace {
            return Ok(session);
        }
        self.end_reused(&session).await?;
        Err(Error::InvalidSession)
    }

    /// Reuse was detected: a replaced token was used after its grace. The session ends, and
    /// with it every token that it ever had.
    async fn end_reused(&self, session: &session::Model) -> Result<(), Error> {
        let event = Event::of(EventKind::SessionTokenReused, &session.user_id);
        let record = self.trail.new_record(event.in_session(&session.id));
        if self.store.end_reused(session, &record).await? {
            self.trail.log_event(&record);
        }
        Ok(())
    }
}
