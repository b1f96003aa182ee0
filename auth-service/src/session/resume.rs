//! Sessions resumed by token; invalid tokens are rate limited.

use server::ClientInfo;
use shared::error::Refusal;

use super::{DAY, Sessions, SignedIn, Stay};
use crate::{
    error::Error,
    restriction::Restrictions,
    session_token::SessionToken,
    store::{UserAccess, Which},
};

impl Sessions {
    /// Runs `look_up` and counts an invalid token; returns too many attempts once its client has
    /// none left.
    pub(super) async fn counting_invalid<T>(
        &self,
        client: &ClientInfo,
        look_up: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let found = look_up.await;
        if matches!(found, Err(Error::Refused(Refusal::InvalidSession))) {
            self.invalid_tokens.count(client)?;
        }
        found
    }

    /// The live session of `token`, extended if it was not for a day. An end beyond the maximum
    /// age, which other servers may set, is moved back.
    pub async fn resume(
        &self,
        token: &SessionToken,
        client: &ClientInfo,
    ) -> Result<SignedIn, Error> {
        self.counting_invalid(client, self.extended(token, client)).await
    }

    pub(super) async fn extended(
        &self,
        token: &SessionToken,
        client: &ClientInfo,
    ) -> Result<SignedIn, Error> {
        let mut caller = self.caller(token, client).await?;
        let session = &mut caller.session;
        let now = self.now();
        let is_due = session.expires_at - self.lifetime + DAY <= now;
        let is_extended = is_due && !caller.superseded && self.stay(session) == Stay::Remembered;
        let end = if is_extended { now + self.lifetime } else { session.expires_at };
        let end = self.capped(session, end);
        if end != session.expires_at {
            if !self.store.extend_session(&session.id, now, end).await? {
                return Err(Refusal::InvalidSession.into());
            }
            caller.extended = end > session.expires_at;
            (session.updated_at, session.expires_at) = (now, end);
        }
        Ok(caller)
    }

    /// The live session of `token`, not extended.
    pub async fn resume_as_it_is(
        &self,
        token: &SessionToken,
        client: &ClientInfo,
    ) -> Result<SignedIn, Error> {
        let mut caller = self.counting_invalid(client, self.caller(token, client)).await?;
        caller.session.expires_at = self.capped(&caller.session, caller.session.expires_at);
        Ok(caller)
    }

    /// The live session of `token` for a sign-out, which a banned user may do.
    pub async fn resume_to_end(
        &self,
        token: &SessionToken,
        client: &ClientInfo,
    ) -> Result<SignedIn, Error> {
        let found = self.counting_invalid(client, self.caller_and_access(token, client)).await;
        found.map(|(caller, _)| caller)
    }

    /// The caller of `token` with the stored session, unless banned. A ban ends no session; it
    /// refuses each use while it lasts.
    async fn caller(&self, token: &SessionToken, client: &ClientInfo) -> Result<SignedIn, Error> {
        let (caller, restrictions) = self.caller_and_access(token, client).await?;
        restrictions.check_use(self.now())?;
        Ok(caller)
    }

    async fn caller_and_access(
        &self,
        token: &SessionToken,
        client: &ClientInfo,
    ) -> Result<(SignedIn, Restrictions), Error> {
        let now = self.now();
        let found = self.store.session_by_token(token.stored_forms()).await?;
        let superseded = found.is_none();
        let session = match found {
            Some(session) => session,
            None => self.session_by_replaced_token(token, now).await?,
        };
        if self.capped(&session, session.expires_at) <= now {
            self.store.end_sessions(&session.user_id, Which::One(&session.id)).await?;
            return Err(Refusal::InvalidSession.into());
        }
        let access = self.store.user_access(&session.user_id).await?;
        let UserAccess { user, restrictions } = access.ok_or(Refusal::InvalidSession)?;
        self.last_uses.record(&session, now);
        let client = client.clone();
        Ok((SignedIn { session, user, client, extended: false, superseded }, restrictions))
    }
}
