//! Session tokens that are replaced, for clients that ask.
//!
//! A token has one successor, which follows from the token and the secret: two tabs that ask
//! at once, and a client that never saw the answer and asks again, get the same one. For a
//! grace the replaced token still opens the session, so that nobody who is a moment behind
//! is signed out; it extends nothing, and no answer hands it over again. Who asks with it
//! when its successor was replaced as well gets the token that is current: an answer that
//! comes late must not bring back one that is about to die.
//!
//! After the grace somebody who holds a replaced token is either a thief or the victim of
//! one. Nobody can tell which, so the session ends for both.

use chrono::{DateTime, Utc};
use shared::audit::{Event, EventKind};

use super::{Sessions, SignedIn};
use crate::{
    entity::session,
    error::Error,
    session_token::{AtRest, SessionToken},
    store::{KEPT, Rotated},
};

/// A session whose token was replaced, and the token that opens it from now on.
pub struct Refreshed {
    pub signed_in: SignedIn,
    pub token: SessionToken,
}

impl Sessions {
    /// Replaces the token of the session that it opens. The session stays what it is: its
    /// id, when it was opened, and when it ends.
    pub async fn refresh(&self, token: &SessionToken) -> Result<Refreshed, Error> {
        let mut signed_in = self.resume(token).await?;
        if !signed_in.superseded {
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
        let token = self.current(token, &signed_in.session).await?;
        Ok(Refreshed { signed_in, token })
    }

    /// The token that has come of one that was replaced. `session` may have been read before
    /// that.
    async fn current(
        &self,
        replaced: &SessionToken,
        session: &session::Model,
    ) -> Result<SessionToken, Error> {
        let mut token = self.successor(replaced).await?.ok_or(Error::InvalidSession)?;
        for _ in 0..KEPT {
            if token.stored_forms().contains(&session.token) {
                break;
            }
            match self.successor(&token).await? {
                Some(next) => token = next,
                None => break,
            }
        }
        Ok(token)
    }

    /// What replaced `token`, if it was replaced. It was made under the secret that signed
    /// then: where that one is known no more, neither is the successor.
    async fn successor(&self, token: &SessionToken) -> Result<Option<SessionToken>, Error> {
        let Some(rotated) = self.store.rotated(&token.at_rest(AtRest::Hashed)).await? else {
            return Ok(None);
        };
        let mut successors = token.successors(&self.keys).into_iter();
        Ok(successors.find(|one| one.at_rest(AtRest::Hashed) == rotated.successor_hash))
    }

    /// The session that `token` opened until it was replaced, within the grace.
    /// `now` is when the call began: it may take longer than the grace.
    pub(super) async fn by_replaced(
        &self,
        token: &SessionToken,
        now: DateTime<Utc>,
    ) -> Result<session::Model, Error> {
        let rotated = self.store.rotated(&token.at_rest(AtRest::Hashed)).await?;
        let rotated = rotated.ok_or(Error::InvalidSession)?;
        let session = self.store.session_of(&rotated).await?.ok_or(Error::InvalidSession)?;
        if now - rotated.rotated_at < self.grace {
            return Ok(session);
        }
        self.end_reused(&session).await?;
        Err(Error::InvalidSession)
    }

    /// Reuse was detected: a replaced token was used after its grace. The session ends, and
    /// with it every token that it ever had.
    async fn end_reused(&self, session: &session::Model) -> Result<(), Error> {
        let event = Event::of(EventKind::SessionTokenReused, &session.user_id);
        let record = self.trail.record(event.in_session(&session.id));
        if self.store.end_reused(session, &record).await? {
            self.trail.say(&record);
        }
        Ok(())
    }
}
