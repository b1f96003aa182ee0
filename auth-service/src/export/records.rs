//! The records of a data export.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use server::audit_log::EventView;
use utoipa::ToSchema;

use crate::{entity::user, session::Listed, store::LinkedAccount};

/// The document, for those who read its description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is written batch by batch")]
pub struct UserData {
    #[schema(value_type = String, format = DateTime)]
    exported_at: DateTime<Utc>,
    user: HeldUser,
    accounts: Vec<HeldAccount>,
    sessions: Vec<HeldSession>,
    /// What happened to the account, newest first, as long as that is kept.
    security_events: Vec<HeldEvent>,
    /// As task-service spells them, those in the trash too; `null` where no task-service is
    /// configured.
    #[schema(value_type = Option<Vec<Object>>)]
    tasks: (),
    /// Reminders that have fired in the last 7 days; `null` as above.
    #[schema(value_type = Option<Vec<Object>>)]
    past_reminders: (),
    /// What happened at task-service in the user's name; `null` as above.
    #[schema(value_type = Option<Vec<Object>>)]
    task_security_events: (),
}

/// The user.
#[derive(Serialize, ToSchema)]
pub struct HeldUser {
    id: String,
    name: String,
    email: String,
    email_verified: bool,
    image: Option<String>,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: DateTime<Utc>,
}

impl From<&user::Model> for HeldUser {
    fn from(user: &user::Model) -> Self {
        Self {
            id: user.id.clone(),
            name: user.name.clone(),
            email: user.email.clone(),
            email_verified: user.email_verified,
            image: user.image.clone(),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// A way to sign in, without what is secret in it.
#[derive(Serialize, ToSchema)]
pub struct HeldAccount {
    id: String,
    /// `credential` for a password.
    provider_id: String,
    /// The user's id at the provider.
    account_id: String,
    /// What a foreign provider granted.
    scope: Option<String>,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: DateTime<Utc>,
}

impl From<LinkedAccount> for HeldAccount {
    fn from(linked: LinkedAccount) -> Self {
        Self {
            id: linked.id,
            provider_id: linked.provider_id,
            account_id: linked.account_id,
            scope: linked.scope,
            created_at: linked.created_at,
            updated_at: linked.updated_at,
        }
    }
}

/// A session, live or not yet swept, without its token.
#[derive(Serialize, ToSchema)]
pub struct HeldSession {
    id: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    updated_at: DateTime<Utc>,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    expires_at: DateTime<Utc>,
    /// To the minute.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    last_used_at: DateTime<Utc>,
}

impl From<&Listed> for HeldSession {
    fn from(Listed { session, last_used_at }: &Listed) -> Self {
        Self {
            id: session.id.clone(),
            ip_address: session.ip_address.clone(),
            user_agent: session.user_agent.clone(),
            created_at: session.created_at,
            updated_at: session.updated_at,
            expires_at: session.expires_at,
            last_used_at: *last_used_at,
        }
    }
}

/// Something that happened to the account.
#[derive(Serialize, ToSchema)]
pub struct HeldEvent {
    id: String,
    kind: String,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String, format = DateTime)]
    at: DateTime<Utc>,
    ip_address: Option<String>,
    user_agent: Option<String>,
    session_id: Option<String>,
    request_id: Option<String>,
    detail: Option<String>,
}

impl From<EventView> for HeldEvent {
    fn from(event: EventView) -> Self {
        Self {
            id: event.id,
            kind: event.kind,
            at: event.at,
            ip_address: event.ip_address,
            user_agent: event.user_agent,
            session_id: event.session_id,
            request_id: event.request_id,
            detail: event.detail,
        }
    }
}

/// Serializes a time in RFC 3339, in UTC, with milliseconds and `Z`.
pub fn time<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}
