//! Access tokens for the users of this service.

use shared::{
    auth::{IssueError, Profile, TokenIssuer},
    proto::auth::v1 as pb,
};

use crate::{
    entity::{session, user},
    error::Error,
    wire,
};

/// Issues what other services accept.
pub struct AccessTokens(pub TokenIssuer);

impl AccessTokens {
    /// A token for `user`, made from `session`.
    pub fn issue(
        &self,
        user: &user::Model,
        session: &session::Model,
    ) -> Result<pb::AccessToken, Error> {
        let profile = Profile {
            session_id: Some(&session.id),
            email: Some(&user.email),
            name: Some(&user.name),
        };
        let issued: Result<_, IssueError> = self.0.issue(&user.id, profile);
        Ok(wire::access_token(issued?))
    }
}
