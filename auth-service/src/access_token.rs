//! Access tokens for the users of this service.

use shared::auth::{IssuedToken, Profile, TokenIssuer, UserId};

use crate::{
    entity::{session, user},
    error::Error,
};

/// The issuer of access tokens, which other services accept.
pub struct AccessTokens(pub TokenIssuer);

impl AccessTokens {
    /// An access token for `user` in `session`.
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

    /// An access token for a call of this service in the name of `user`, without session and
    /// profile.
    pub fn issue_bare(&self, user: &UserId) -> Result<IssuedToken, Error> {
        Ok(self.0.issue(user, Profile::default())?)
    }
}
