//! The retention of security events.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use shared::{
    clock::Clock,
    config::{Reader, Setting, Vars, time_span},
};
use tokio::time::MissedTickBehavior;

use super::SecurityEvents;

shared::settings! {
    /// The setting of the retention.
    pub const SETTINGS: "Data";

    SECURITY_EVENT_RETENTION: Duration = Setting::new("90d", time_span).checked(|retention| {
        let allowed = Duration::from_hours(1)..=Duration::from_hours(3660 * 24);
        (!allowed.contains(retention)).then_some("must be from 1h to 3660d")
    }), "how long security events are kept";
}

/// The period of the checks.
const PERIOD: Duration = Duration::from_hours(1);

/// Reads `SECURITY_EVENT_RETENTION`.
pub fn read_retention(reader: &mut Reader<'_, impl Vars>) -> Duration {
    reader.get(&SECURITY_EVENT_RETENTION)
}

/// Deletes events older than `retention`, periodically. Replicas may do so concurrently; a
/// failure waits for the next round. Never ends.
pub async fn enforce_retention(events: SecurityEvents, clock: Arc<dyn Clock>, retention: Duration) {
    let retention = TimeDelta::from_std(retention).unwrap_or(TimeDelta::MAX);
    let mut rounds = tokio::time::interval(PERIOD);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let until = clock.now().checked_sub_signed(retention).unwrap_or_default();
        match events.delete_before(until).await {
            Ok(deleted) => tracing::debug!(forgotten = deleted, "security events swept"),
            Err(error) => tracing::warn!(%error, "cannot sweep security events"),
        }
    }
}
