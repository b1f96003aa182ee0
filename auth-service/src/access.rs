//! Access tokens for the users of this service.

use shared::auth::{IssuedToken, Profile, TokenIssuer, UserId};

use crate::{
    entity::{session, user},
    error::Error,
};

/// Issues what other services accept.
pub struct AccessTokens(pub TokenIssuer);

impl AccessTokens {
    /// A token for `user`, made from `session`.
    pub fn issue(
        &self,
        user: &user::Model,
        session: &session::Model,
    ) -> Result<IssuedToken, Error> {
        let profile = Profile {
            session_id: Some(&session.id),
            email: Some(&user.email),
            name: Some(&user.name),
        };
        Ok(self.0.issue(&UserId::parse(&user.id)?, profile)?)
    }

    /// A token of `user` for a call that this service makes: it says nothing but who.
    pub fn issue_bare(&self, user: &UserId) -> Result<IssuedToken, Error> {
        Ok(self.0.issue(user, Profile::default())?)
    }
}
