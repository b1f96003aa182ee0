//! When sessions were last used, to the minute. Nobody waits for it: a use is noted in
//! memory and written by a job. What is lost (a stop, a database that is away, more sessions
//! in a minute than are kept track of) is harmless.

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

/// A use that follows another one this soon is not noted.
const APART: TimeDelta = TimeDelta::minutes(1);

/// How many sessions are kept track of: a few megabytes.
const MOST: usize = 16_384;

/// How often uses are written.
const PERIOD: Duration = Duration::from_secs(5);

/// The uses of about the last minute.
#[derive(Clone, Default)]
pub struct LastUses(Arc<Mutex<HashMap<String, Noted>>>);

struct Noted {
    user_id: String,
    at: DateTime<Utc>,
    is_written: bool,
}

impl LastUses {
    /// Notes that a session was used, unless that was noted a moment ago.
    pub fn note(&self, session: &session::Model, at: DateTime<Utc>) {
        let mut noted = self.noted();
        let is_full = noted.len() >= MOST;
        match noted.get_mut(&session.id) {
            Some(known) if (at - known.at).abs() < APART => {}
            Some(known) => (known.at, known.is_written) = (at, false),
            None if is_full => {}
            None => {
                let use_of = Noted { user_id: session.user_id.clone(), at, is_written: false };
                noted.insert(session.id.clone(), use_of);
            }
        }
    }

    /// When a session was last used, as far as this process remembers.
    fn of(&self, session_id: &str) -> Option<DateTime<Utc>> {
        self.noted().get(session_id).map(|noted| noted.at)
    }

    /// What is to be written, once. What was written and is old is forgotten.
    fn due(&self, now: DateTime<Utc>) -> Vec<Use> {
        let mut due = Vec::new();
        self.noted().retain(|session_id, noted| {
            if mem::replace(&mut noted.is_written, true) {
                return (now - noted.at).abs() < APART;
            }
            let (session_id, user_id) = (session_id.clone(), noted.user_id.clone());
            due.push(Use { session_id, user_id, at: noted.at });
            true
        });
        due
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<String, Noted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session and when it was last used.
pub struct Listed {
    pub session: session::Model,
    pub last_used_at: DateTime<Utc>,
}

impl Sessions {
    /// These sessions with their last uses. To be opened and to be extended is a use, too.
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

    /// Writes what was noted, now and again. Never ends.
    pub async fn write_last_uses(self) {
        let mut rounds = tokio::time::interval(PERIOD);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let mut due = self.last_uses.due(self.now());
            if let Err(error) = self.store.note_uses(&mut due).await {
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
            uses.note(&session(1), start + TimeDelta::seconds(seconds));
        }
        let at = |due: Vec<Use>| due.into_iter().map(|one| one.at).collect::<Vec<_>>();
        assert_eq!(at(uses.due(start + TimeDelta::seconds(59))), [start]);
        assert!(uses.due(start + TimeDelta::seconds(59)).is_empty());
        let later = start + APART;
        uses.note(&session(1), later);
        assert_eq!(uses.of("1"), Some(later));
        assert_eq!(at(uses.due(later)), [later]);
        assert!(uses.due(later + APART).is_empty());
        assert_eq!(uses.of("1"), None);
    }

    #[test]
    fn a_flood_of_sessions_is_not_kept_track_of() {
        let uses = LastUses::default();
        for id in 0..MOST + 100 {
            uses.note(&session(id), DateTime::UNIX_EPOCH);
        }
        assert_eq!(uses.due(DateTime::UNIX_EPOCH).len(), MOST);
        // Those that are known go on; room comes back with time.
        uses.note(&session(1), DateTime::UNIX_EPOCH + APART);
        assert_eq!(uses.due(DateTime::UNIX_EPOCH + APART).len(), 1);
        uses.note(&session(MOST + 1), DateTime::UNIX_EPOCH + APART);
        assert_eq!(uses.due(DateTime::UNIX_EPOCH + APART).len(), 1);
    }
}
