//! Security events, and their records.

use std::net::IpAddr;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::{ClockSequence, Timestamp, Uuid};

use super::EventKind;
use crate::ClientInfo;

/// A security event, to be recorded in an [`AuditLog`](super::AuditLog).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub(super) kind: EventKind,
    pub(super) user_id: Option<String>,
    pub(super) session_id: Option<String>,
    pub(super) detail: Option<String>,
}

impl Event {
    /// An event without a user.
    #[must_use]
    pub fn new(kind: EventKind) -> Self {
        Self { kind, user_id: None, session_id: None, detail: None }
    }

    /// An event of this user, who can list it.
    #[must_use]
    pub fn of(kind: EventKind, user_id: &str) -> Self {
        Self { user_id: Some(user_id.to_owned()), ..Self::new(kind) }
    }

    /// The event, with the session that was opened, ended or used.
    #[must_use]
    pub fn in_session(self, id: &str) -> Self {
        Self { session_id: Some(id.to_owned()), ..self }
    }

    /// The event, with a detail (see the kinds that have one). The user can read it, so it is no
    /// secret.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

/// An event with its time and the client of its call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub(super) id: Uuid,
    pub(super) at: DateTime<Utc>,
    pub(super) event: Event,
    pub(super) request_id: Option<String>,
    pub(super) address: Option<IpAddr>,
    pub(super) user_agent: Option<String>,
}

impl Record {
    /// A record of `event` in the current call. The ids of one `sequence` ascend.
    pub(super) fn new(
        event: Event,
        at: DateTime<Utc>,
        sequence: impl ClockSequence<Output = impl Into<u128>>,
    ) -> Self {
        let client = ClientInfo::current();
        let user_agent = client.user_agent();
        Self {
            id: id(at, sequence),
            at: at.trunc_subsecs(3),
            event,
            request_id: client.request_id().map(str::to_owned),
            address: client.address(),
            user_agent: user_agent.map(|text| text.replace(char::is_control, "")),
        }
    }
}

/// A new id (UUID version 7) of this time, or of 1970 for earlier ones.
fn id(at: DateTime<Utc>, sequence: impl ClockSequence<Output = impl Into<u128>>) -> Uuid {
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(sequence, seconds, at.timestamp_subsec_nanos()))
}

/// The smallest id of an event at this time.
pub(super) fn first_id(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}
