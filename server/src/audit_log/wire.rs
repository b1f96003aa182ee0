//! The conversion of an event to its message.

use proto::{audit::v1::SecurityEvent, timestamp};

use super::EventView;

impl From<EventView> for SecurityEvent {
    fn from(event: EventView) -> Self {
        Self {
            id: event.id,
            kind: event.kind,
            at: Some(timestamp(event.at)),
            ip_address: event.ip_address,
            user_agent: event.user_agent,
            session_id: event.session_id,
            request_id: event.request_id,
            detail: event.detail,
        }
    }
}
