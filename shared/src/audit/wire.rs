//! An event in the contract.

use prost_types::Timestamp;

use super::Told;
use crate::proto::audit::v1::SecurityEvent;

impl From<Told> for SecurityEvent {
    fn from(told: Told) -> Self {
        let nanos = i32::try_from(told.at.timestamp_subsec_nanos()).unwrap_or_default();
        Self {
            id: told.id,
            kind: told.kind,
            at: Some(Timestamp { seconds: told.at.timestamp(), nanos }),
            ip_address: told.ip_address,
            user_agent: told.user_agent,
            session_id: told.session_id,
            request_id: told.request_id,
            detail: told.detail,
        }
    }
}
