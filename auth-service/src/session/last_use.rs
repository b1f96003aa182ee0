//! The last use of sessions, to the minute. No call waits for it: a use is recorded in memory and
//! written by a job. What is lost (at a stop, while the database is unavailable, beyond the
//! capacity) is harmless.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::MissedTickBehavior;

use super::Sessions;
use crate::{entity::session, error::Error, store::Use};

/// A use this soon after another one is not recorded.
const MIN_INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// The most sessions in memory: a few megabytes.
const CAPACITY: usize = 16_384;

/// How often uses are written.
const PERIOD: Duration = Duration::from_secs(5);

/// The uses of about the last minute.
#[derive(Clone, Default)]
pub struct LastUses(Arc<Mutex<HashMap<String, Entry>>>);

struct Entry {
    user_id: String,
    at: DateTime<Utc>,
    is_written: bool,
}

impl LastUses {
    /// Records a use of a session, unless one was recorded within the last minute.
    pub fn record(&self, session: &session::Model, at: DateTime<Utc>) {
        let mut entries = self.entries();
        let is_full = entries.len() >= CAPACITY;
        match entries.get_mut(&session.id) {
            Some(known) if (at - known.at).abs() < MIN_INTERVAL => {}
            Some(known) => (known.at, known.is_written) = (at, false),
            None if is_full => {}
            None => {
                let use_of = Entry { user_id: session.user_id.clone(), at, is_written: false };
                entries.insert(session.id.clone(), use_of);
            }
        }
    }

    /// The last use of a session in this process.
    fn of(&self, session_id: &str) -> Option<DateTime<Utc>> {
        self.entries().get(session_id).map(|entry| entry.at)
    }

    /// The uses to be written, each once. Old ones that were written are removed.
    fn due(&self, now: DateTime<Utc>) -> Vec<Use> {
        let mut due = Vec::new();
        self.entries().retain(|session_id, entry| {
            if mem::replace(&mut entry.is_written, true) {
                return (now - entry.at).abs() < MIN_INTERVAL;
            }
            let (session_id, user_id) = (session_id.clone(), entry.user_id.clone());
            due.push(Use { session_id, user_id, at: entry.at });
            true
        });
        due
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session and when it was last used.
pub struct Listed {
    pub session: session::Model,
    pub last_used_at: DateTime<Utc>,
}

impl Sessions {
    /// These sessions with their last uses. Opening and extending count as uses.
    pub async fn with_last_uses(
        &self,
        sessions: Vec<session::Model>,
    ) -> Result<Vec<Listed>, Error> {
        let ids: Vec<_> = sessions.iter().map(|session| session.id.clone()).collect();
        let written = self.store.last_uses(&ids).await?;
        let written: HashMap<_, _> =
            written.into_iter().map(|row| (row.session_id, row.last_used_at)).collect();
        let listed = |session: session::Model| {
            let uses = [written.get(&session.id).copied(), self.last_uses.of(&session.id)];
            let last_used_at =
                uses.into_iter().flatten().fold(session.updated_at, DateTime::<Utc>::max);
            Listed { session, last_used_at }
        };
        Ok(sessions.into_iter().map(listed).collect())
    }

    /// Writes recorded uses periodically. Never ends.
    pub async fn write_last_uses(self) {
        let mut rounds = tokio::time::interval(PERIOD);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let mut due = self.last_uses.due(self.now());
            if let Err(error) = self.store.record_uses(&mut due).await {
                tracing::warn!(%error, lost = due.len(), "cannot write when sessions were used");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: usize) -> session::Model {
        let then = DateTime::UNIX_EPOCH;
        session::Model {
            id: id.to_string(),
            expires_at: then,
            token: String::new(),
            created_at: then,
            updated_at: then,
            ip_address: None,
            user_agent: None,
            user_id: "u1".to_owned(),
        }
    }

    #[test]
    fn a_use_is_due_once_a_minute_and_forgotten_when_it_was_written() {
        let uses = LastUses::default();
        let start = DateTime::UNIX_EPOCH;
        for seconds in [0, 0, 30, 59] {
            uses.record(&session(1), start + TimeDelta::seconds(seconds));
        }
        let at = |due: Vec<Use>| due.into_iter().map(|one| one.at).collect::<Vec<_>>();
        assert_eq!(at(uses.due(start + TimeDelta::seconds(59))), [start]);
        assert!(uses.due(start + TimeDelta::seconds(59)).is_empty());
        let later = start + MIN_INTERVAL;
        uses.record(&session(1), later);
        assert_eq!(uses.of("1"), Some(later));
        assert_eq!(at(uses.due(later)), [later]);
        assert!(uses.due(later + MIN_INTERVAL).is_empty());
        assert_eq!(uses.of("1"), None);
    }

    #[test]
    fn a_flood_of_sessions_is_not_kept_track_of() {
        let uses = LastUses::default();
        for id in 0..CAPACITY + 100 {
            uses.record(&session(id), DateTime::UNIX_EPOCH);
        }
        assert_eq!(uses.due(DateTime::UNIX_EPOCH).len(), CAPACITY);
        // Known sessions go on; capacity comes back with time.
        uses.record(&session(1), DateTime::UNIX_EPOCH + MIN_INTERVAL);
        assert_eq!(uses.due(DateTime::UNIX_EPOCH + MIN_INTERVAL).len(), 1);
        uses.record(&session(CAPACITY + 1), DateTime::UNIX_EPOCH + MIN_INTERVAL);
        assert_eq!(uses.due(DateTime::UNIX_EPOCH + MIN_INTERVAL).len(), 1);
    }
}
