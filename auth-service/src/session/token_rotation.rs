//! Rotation of session tokens, for clients that ask.
//!
//! A token has one successor, derived from the token and the secret: concurrent tabs, and a
//! client that lost the response and retries, get the same one. During a grace period the
//! replaced token still opens the session, so that a client that is a moment behind is not signed
//! out; it extends nothing, and responses bring the current token: a late response must not bring
//! back one that is about to expire.
//!
//! After the grace period a replaced token is held by a thief or by the victim of one. The two
//! cannot be distinguished, so the session ends for both.
//!
//! Every replaced token is kept for the same time, whatever came after it: with a maximum number,
//! a thief could rotate until the victim's is forgotten. Their number is bounded by the minimum
//! age of a token before its rotation.

use std::time::Duration;

use chrono::{DateTime, Utc};
use server::{
    ClientInfo,
    audit_log::{Event, EventKind},
};
use shared::error::Refusal;

use super::{Sessions, SignedIn};
use crate::{
    entity::session,
    error::Error,
    session_token::{AtRest, SessionToken},
    store::Rotated,
};

/// A session whose token was replaced, and its new token.
pub struct Refreshed {
    pub signed_in: SignedIn,
    pub token: SessionToken,
}

/// The minimum age of a successor before its rotation. A session has at most 8640 replaced tokens
/// in the 30 days that they are kept. Not less than the longest grace period.
pub(super) const MIN_AGE: Duration = Duration::from_mins(5);

/// The most successors to follow: more than a client within its grace period can be behind.
const MAX_STEPS: usize = 8;

impl Sessions {
    /// Replaces the token of the session, if it is not [too young](MIN_AGE). The session keeps
    /// its id, its opening time and its end.
    pub async fn refresh(
        &self,
        token: &SessionToken,
        client: &ClientInfo,
    ) -> Result<Refreshed, Error> {
        self.counting_invalid(client, self.rotated(token, client)).await
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
            // A concurrent call was faster, or has ended the session.
        }
        let latest = self.latest(token).await?;
        let latest = latest.filter(|latest| is_young || latest.reveal() != token.reveal());
        Ok(Refreshed { signed_in, token: latest.ok_or(Refusal::InvalidSession)? })
    }

    /// Whether the current token replaced one within the minimum age. No lock is needed: when a
    /// token was made never changes.
    async fn is_young(&self, token: &SessionToken, signed_in: &SignedIn) -> Result<bool, Error> {
        let (hash, since) = (token.at_rest(AtRest::Hashed), self.now() - MIN_AGE);
        Ok(self.store.replaced_one_since(&signed_in.session.id, &hash, since).await?)
    }

    /// The current token of the session of `token`: itself, or its latest successor. `None`:
    /// unknown, because a secret that derived one was removed.
    pub async fn latest(&self, token: &SessionToken) -> Result<Option<SessionToken>, Error> {
        let mut latest = token.clone();
        for _ in 0..MAX_STEPS {
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

    /// The session of a replaced `token` within its grace period; or an expired one, which is no
    /// reuse. `now` is the start of the call, which may take longer than the grace period.
    pub(super) async fn session_by_replaced_token(
        &self,
        token: &SessionToken,
        now: DateTime<Utc>,
    ) -> Result<session::Model, Error> {
        let rotated = self.store.rotated(&token.at_rest(AtRest::Hashed)).await?;
        let rotated = rotated.ok_or(Refusal::InvalidSession)?;
        let session = self.store.session_of(&rotated).await?.ok_or(Refusal::InvalidSession)?;
        let has_expired = self.capped(&session, session.expires_at) <= now;
        if has_expired || now - rotated.rotated_at < self.grace {
            return Ok(session);
        }
        self.end_reused(&session).await?;
        Err(Refusal::InvalidSession.into())
    }

    /// Ends a session whose replaced token was used after its grace period (reuse detection),
    /// with all of its tokens.
    async fn end_reused(&self, session: &session::Model) -> Result<(), Error> {
        let event = Event::of(EventKind::SessionTokenReused, &session.user_id);
        let record = self.audit_log.new_record(event.in_session(&session.id));
        if self.store.end_reused(session, &record).await? {
            self.audit_log.log_event(&record);
        }
        Ok(())
    }
}
