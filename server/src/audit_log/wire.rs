//! An event in the contract.

use proto::{audit::v1::SecurityEvent, timestamp};

use super::EventView;

impl From<EventView> for SecurityEvent {
    fn from(told: EventView) -> Self {
        Self {
            id: told.id,
            kind: told.kind,
            at: Some(timestamp(told.at)),
            ip_address: told.ip_address,
            user_agent: told.user_agent,
            session_id: told.session_id,
            request_id: told.request_id,
            detail: told.detail,
        }
    }
}
