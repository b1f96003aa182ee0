//! Everything that is held about a user, as one JSON document, written a piece at a time.
//!
//! The document is whole or visibly broken: nothing is said before task-service has begun
//! to answer, and where it stops answering later the stream ends with an error.

mod held;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{Stream, stream};
use serde::Serialize;
use server::audit_log::{Event, EventKind, PageRequest};
use shared::auth::UserId;

pub use self::held::UserData;
use self::held::{HeldAccount, HeldEvent, HeldSession, HeldUser, moment};
use crate::{
    access::AccessTokens,
    entity::user,
    error::Error,
    json_list::objects,
    peer::{Exported, Piece, TaskService},
    session::{Sessions, SignedIn},
    store::Store,
};

/// How many sessions are read at a time, and how many events.
const SESSIONS: u64 = 100;
const EVENTS: i32 = 100;

/// The beginning of the document. Its members come first in [`UserData`] too.
#[derive(Serialize)]
struct Head {
    #[serde(serialize_with = "moment")]
    exported_at: DateTime<Utc>,
    user: HeldUser,
    accounts: Vec<HeldAccount>,
}

/// Writes exports.
#[derive(Clone)]
pub struct DataExports {
    store: Store,
    sessions: Sessions,
    access: Arc<AccessTokens>,
    tasks: Option<TaskService>,
}

impl DataExports {
    /// Exports of what is in `store`, and at `tasks` where there is such a service.
    pub fn new(
        store: Store,
        sessions: Sessions,
        access: Arc<AccessTokens>,
        tasks: Option<TaskService>,
    ) -> Self {
        Self { store, sessions, access, tasks }
    }

    /// The document about `caller`, who has signed in lately, in chunks. What comes next is
    /// only read when it is asked for.
    pub async fn begin(
        &self,
        caller: &SignedIn,
    ) -> Result<impl Stream<Item = Result<Vec<u8>, Error>> + Send + 'static, Error> {
        self.sessions.require_fresh(caller)?;
        let user = caller.user();
        let linked = self.store.linked_accounts(&user.id).await?;
        // Who cannot be named in a token has nothing elsewhere.
        let elsewhere = match self.tasks.clone().zip(UserId::parse(&user.id).ok()) {
            Some((service, id)) => {
                let token = self.access.issue_bare(&id)?.token;
                let tasks = service.export(&id, &token).await?;
                Some(Elsewhere { service, tasks, id, access: self.access.clone() })
            }
            None => None,
        };
        let event = Event::of(EventKind::DataExported, &user.id);
        let event = event.in_session(&caller.session().id);
        self.sessions.trail().record_deduplicated(event, &user.id);
        let head = Head {
            exported_at: self.sessions.now(),
            user: user.into(),
            accounts: linked.into_iter().map(HeldAccount::from).collect(),
        };
        let writing = Writing {
            store: self.store.clone(),
            sessions: self.sessions.clone(),
            user: user.clone(),
            elsewhere,
            text: objects([head]),
            is_list_empty: true,
            place: Place::Head,
        };
        Ok(stream::try_unfold(writing, async |mut writing| {
            let text = writing.next().await?;
            Ok(text.map(|text| (text, writing)))
        }))
    }
}

/// What task-service says about the user.
struct Elsewhere {
    service: TaskService,
    tasks: Exported,
    id: UserId,
    access: Arc<AccessTokens>,
}

/// A document in progress.
struct Writing {
    store: Store,
    sessions: Sessions,
    user: user::Model,
    elsewhere: Option<Elsewhere>,
    text: Vec<u8>,
    /// Whether the list that is open has no element yet.
    is_list_empty: bool,
    place: Place,
}

/// How a document ends where there is no task-service.
const NOTHING_ELSEWHERE: &[u8] =
    b"],\"tasks\":null,\"past_reminders\":null,\"task_security_events\":null}\n";

/// What is to be written next.
enum Place {
    Head,
    /// All, or those behind the one with this id.
    Sessions(Option<String>),
    /// The page of this token; an empty one is the first's.
    Events(String),
    Tasks,
    PastReminders,
    /// As above, of task-service.
    TaskEvents(String),
    End,
}

impl Writing {
    /// The next piece of text; `None` behind the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match std::mem::replace(&mut self.place, Place::End) {
            Place::Head => {
                self.text.pop(); // the brace that closes it
                self.open("sessions", Place::Sessions(None));
            }
            Place::Sessions(behind) => self.write_sessions(behind.as_deref()).await?,
            Place::Events(token) => self.write_events(&token).await?,
            Place::Tasks => self.write_tasks().await?,
            Place::PastReminders => match self.piece().await? {
                Some(piece) => {
                    self.add(&piece.reminders);
                    self.place = Place::PastReminders;
                }
                None => self.begin_task_events(),
            },
            Place::TaskEvents(token) => self.write_task_events(token).await?,
            Place::End => return Ok(None),
        }
        Ok(Some(std::mem::take(&mut self.text)))
    }

    async fn write_sessions(&mut self, behind: Option<&str>) -> Result<(), Error> {
        let sessions = self.store.sessions_behind(&self.user.id, behind, SESSIONS).await?;
        let sessions = self.sessions.with_last_uses(sessions).await?;
        self.add(&objects(sessions.iter().map(HeldSession::from)));
        match sessions.last().filter(|_| sessions.len() as u64 == SESSIONS) {
            Some(last) => self.place = Place::Sessions(Some(last.session.id.clone())),
            None => self.close_and_open("security_events", Place::Events(String::new())),
        }
        Ok(())
    }

    async fn write_events(&mut self, token: &str) -> Result<(), Error> {
        let request = PageRequest::read(EVENTS, token, &self.user.id)?;
        let page = self.store.security_events_of(&self.user, &request).await?;
        self.add(&objects(page.events.into_iter().map(HeldEvent::from)));
        match page.next {
            Some(next) => self.place = Place::Events(next),
            None if self.elsewhere.is_some() => self.close_and_open("tasks", Place::Tasks),
            None => self.text.extend(NOTHING_ELSEWHERE),
        }
        Ok(())
    }

    fn begin_task_events(&mut self) {
        self.close_and_open("task_security_events", Place::TaskEvents(String::new()));
    }

    async fn write_task_events(&mut self, token: String) -> Result<(), Error> {
        let Some(Elsewhere { service, id, access, .. }) = &self.elsewhere else { return Ok(()) };
        // Another token for each page: the tasks before may have taken longer than one lives.
        let access_token = access.issue_bare(id)?.token;
        let page = service.security_events(id, &access_token, token).await?;
        self.add(&page.events);
        match page.next {
            Some(next) => self.place = Place::TaskEvents(next),
            None => self.text.extend(b"]}\n"),
        }
        Ok(())
    }

    async fn write_tasks(&mut self) -> Result<(), Error> {
        let piece = self.piece().await?;
        match piece {
            Some(piece) if piece.reminders.is_empty() => {
                self.add(&piece.tasks);
                self.place = Place::Tasks;
            }
            Some(piece) => {
                self.close_and_open("past_reminders", Place::PastReminders);
                self.add(&piece.reminders);
            }
            None => {
                self.close_and_open("past_reminders", Place::PastReminders);
                self.begin_task_events();
            }
        }
        Ok(())
    }

    /// What task-service says next; `None` at its end.
    async fn piece(&mut self) -> Result<Option<Piece>, Error> {
        match &mut self.elsewhere {
            Some(elsewhere) => Ok(elsewhere.tasks.next().await?),
            None => Ok(None),
        }
    }

    /// Begins a list, which `place` is in.
    fn open(&mut self, name: &str, place: Place) {
        self.text.extend(format!(",\"{name}\":[").bytes());
        self.is_list_empty = true;
        self.place = place;
    }

    fn close_and_open(&mut self, name: &str, place: Place) {
        self.text.push(b']');
        self.open(name, place);
    }

    /// Adds elements to the list that is open.
    fn add(&mut self, elements: &[u8]) {
        if elements.is_empty() {
            return;
        }
        if !self.is_list_empty {
            self.text.push(b',');
        }
        self.is_list_empty = false;
        self.text.extend(elements);
    }
}
