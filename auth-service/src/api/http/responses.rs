//! Response bodies: Better Auth's objects, with its names and date format.

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Serialize;
use server::http::json;
use utoipa::ToSchema;

use crate::{
    entity::{session, user},
    session_token::SessionToken,
    store::LinkedAccount,
};

/// A user, as shown to that user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    name: String,
    /// In lower case.
    #[schema(format = Email)]
    email: String,
    email_verified: bool,
    /// The address of a picture.
    #[schema(required = true)]
    image: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    id: String,
}

impl User {
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl From<&user::Model> for User {
    fn from(user: &user::Model) -> Self {
        Self {
            name: user.name.clone(),
            email: user.email.clone(),
            email_verified: user.email_verified,
            image: user.image.clone(),
            created_at: date(user.created_at),
            updated_at: date(user.updated_at),
            id: user.id.clone(),
        }
    }
}

/// A session of a user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    #[schema(format = DateTime)]
    expires_at: String,
    /// Of the caller's own session: its token. Of others: a handle that `revoke-session`
    /// takes; it opens nothing where tokens are stored hashed.
    token: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// When its end was last moved.
    #[schema(format = DateTime)]
    updated_at: String,
    #[schema(required = true)]
    ip_address: Option<String>,
    #[schema(required = true)]
    user_agent: Option<String>,
    user_id: String,
    id: String,
}

impl Session {
    /// The caller's own session, with its token.
    pub fn own(session: &session::Model, token: &SessionToken) -> Self {
        Self::with_token(session, token.reveal())
    }

    /// Another session, with a handle for its token.
    pub fn other(session: &session::Model) -> Self {
        Self::with_token(session, &session.token)
    }

    fn with_token(session: &session::Model, token: &str) -> Self {
        Self {
            expires_at: date(session.expires_at),
            token: token.to_owned(),
            created_at: date(session.created_at),
            updated_at: date(session.updated_at),
            ip_address: session.ip_address.clone(),
            user_agent: session.user_agent.clone(),
            user_id: session.user_id.clone(),
            id: session.id.clone(),
        }
    }
}

/// A session in the list of all.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedSession {
    #[serde(flatten)]
    session: Session,
    /// To the minute.
    #[schema(format = DateTime)]
    last_used_at: String,
}

impl ListedSession {
    pub fn new(session: Session, last_used_at: DateTime<Utc>) -> Self {
        Self { session, last_used_at: date(last_used_at) }
    }
}

/// A session and its user.
#[derive(Serialize, ToSchema)]
pub struct SessionAndUser {
    pub session: Session,
    pub user: User,
}

/// A session with a new token.
#[derive(Serialize, ToSchema)]
pub struct SessionRefreshed {
    /// The session token.
    pub token: String,
    pub session: Session,
    pub user: User,
}

/// The first session of a new user.
#[derive(Serialize, ToSchema)]
pub struct SignedUp {
    /// The session token.
    pub token: String,
    pub user: User,
}

/// A new session.
#[derive(Serialize, ToSchema)]
pub struct SignedIn {
    /// Whether a browser should go to `url` now.
    pub redirect: bool,
    /// The session token.
    pub token: String,
    /// The `callbackURL` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub url: Option<String>,
    pub user: User,
}

/// A changed password.
#[derive(Serialize, ToSchema)]
pub struct PasswordChanged {
    /// The token of the session that replaces all others, where that was asked for.
    #[schema(required = true)]
    pub token: Option<String>,
    pub user: User,
}

/// A way to sign in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The user's id at the provider.
    #[serde(rename = "accountId")]
    id_there: String,
    /// `credential` for a password.
    provider_id: String,
    user_id: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    id: String,
    /// What a foreign provider granted.
    scopes: Vec<String>,
}

impl From<LinkedAccount> for Account {
    fn from(linked: LinkedAccount) -> Self {
        let scopes = linked.scope.iter().flat_map(|scope| scope.split(','));
        Self {
            scopes: scopes.map(str::to_owned).collect(),
            id_there: linked.account_id,
            provider_id: linked.provider_id,
            user_id: linked.user_id,
            created_at: date(linked.created_at),
            updated_at: date(linked.updated_at),
            id: linked.id,
        }
    }
}

/// The result of a change.
#[derive(Serialize, ToSchema)]
pub struct Done {
    status: bool,
}

impl Done {
    pub const DONE: Self = Self { status: true };
}

/// The result of a sign-out.
#[derive(Serialize, ToSchema)]
pub struct SignedOut {
    pub success: bool,
}

/// The account is gone.
#[derive(Serialize, ToSchema)]
pub struct Deleted {
    pub success: bool,
    pub message: &'static str,
}

/// The door is open.
#[derive(Serialize, ToSchema)]
pub struct Well {
    pub ok: bool,
}

/// An access token.
#[derive(Serialize, ToSchema)]
pub struct Token {
    /// A JWT that other services verify alone.
    pub token: String,
}

/// Public keys.
#[derive(Serialize, ToSchema)]
pub struct PublicKeys {
    /// None: access tokens are signed with the shared secret.
    #[schema(value_type = Vec<Object>)]
    pub keys: [(); 0],
}

/// A 200 with a JSON body.
pub struct OkJson<T>(pub T);

impl<T: Serialize> IntoResponse for OkJson<T> {
    fn into_response(self) -> Response {
        json::answer(StatusCode::OK, &self.0)
    }
}

/// A date with milliseconds and `Z`: in any other form it stays a string in Better Auth's client.
pub fn date(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
