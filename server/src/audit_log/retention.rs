//! The retention of security events.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use shared::{
    clock::Clock,
    config::{Reader, Vars},
};
use tokio::time::MissedTickBehavior;

use super::SecurityEvents;

/// The default retention.
const DEFAULT: Duration = Duration::from_hours(90 * 24);

/// The period of the checks.
const PERIOD: Duration = Duration::from_hours(1);

/// Reads `SECURITY_EVENT_RETENTION`.
pub fn read_retention(reader: &mut Reader<'_, impl Vars>) -> Duration {
    let retention = reader.duration("SECURITY_EVENT_RETENTION", DEFAULT);
    if !(Duration::from_hours(1)..=Duration::from_hours(3660 * 24)).contains(&retention) {
        reader.fault("SECURITY_EVENT_RETENTION", "must be from 1h to 3660d");
    }
    retention
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
