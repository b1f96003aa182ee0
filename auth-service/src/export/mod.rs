//! The data export of a user: one JSON document, written in chunks.
//!
//! The document is complete or visibly broken: nothing is sent before task-service has begun to
//! respond, and if it fails later the stream ends with an error.

mod records;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{Stream, stream};
use serde::Serialize;
use server::audit_log::{Event, EventKind, PageRequest};
use shared::auth::UserId;

pub use self::records::UserData;
use self::records::{HeldAccount, HeldEvent, HeldSession, HeldUser, time};
use crate::{
    access_token::AccessTokens,
    entity::user,
    error::Error,
    json_list::objects,
    session::{Sessions, SignedIn},
    store::Store,
    task_client::{Batch, ExportStream, TaskClient},
};

/// The page sizes of sessions and events.
const SESSIONS: u64 = 100;
const EVENTS: i32 = 100;

/// The beginning of the document. Its members come first in [`UserData`] too.
#[derive(Serialize)]
struct Head {
    #[serde(serialize_with = "time")]
    exported_at: DateTime<Utc>,
    user: HeldUser,
    accounts: Vec<HeldAccount>,
}

/// The data exports of users.
#[derive(Clone)]
pub struct DataExports {
    store: Store,
    sessions: Sessions,
    access: Arc<AccessTokens>,
    tasks: Option<TaskClient>,
}

impl DataExports {
    /// Exports of `store`, and of task-service where it is configured.
    pub fn new(
        store: Store,
        sessions: Sessions,
        access: Arc<AccessTokens>,
        tasks: Option<TaskClient>,
    ) -> Self {
        Self { store, sessions, access, tasks }
    }

    /// The document about `caller`, who signed in recently, in chunks. Each chunk is read when
    /// the client asks for it (backpressure).
    pub async fn begin(
        &self,
        caller: &SignedIn,
    ) -> Result<impl Stream<Item = Result<Vec<u8>, Error>> + Send + 'static, Error> {
        self.sessions.require_fresh(caller)?;
        let user = caller.user();
        let linked = self.store.linked_accounts(&user.id).await?;
        // A user whose id fits no token has no tasks.
        let remote = match self.tasks.clone().zip(UserId::parse(&user.id).ok()) {
            Some((service, id)) => {
                let token = self.access.issue_bare(&id)?.token;
                let tasks = service.export(&id, &token).await?;
                Some(RemoteTasks { service, tasks, id, access: self.access.clone() })
            }
            None => None,
        };
        let event = Event::of(EventKind::DataExported, &user.id);
        let event = event.in_session(&caller.session().id);
        self.sessions.audit_log().record_deduplicated(event, &user.id);
        let head = Head {
            exported_at: self.sessions.now(),
            user: user.into(),
            accounts: linked.into_iter().map(HeldAccount::from).collect(),
        };
        let writer = ExportWriter {
            store: self.store.clone(),
            sessions: self.sessions.clone(),
            user: user.clone(),
            remote,
            text: objects([head]),
            is_list_empty: true,
            section: Section::Head,
        };
        Ok(stream::try_unfold(writer, async |mut writer| {
            let text = writer.next().await?;
            Ok(text.map(|text| (text, writer)))
        }))
    }
}

/// The part of the export that task-service has.
struct RemoteTasks {
    service: TaskClient,
    tasks: ExportStream,
    id: UserId,
    access: Arc<AccessTokens>,
}

/// The writer of a document.
struct ExportWriter {
    store: Store,
    sessions: Sessions,
    user: user::Model,
    remote: Option<RemoteTasks>,
    text: Vec<u8>,
    /// Whether the open list is empty.
    is_list_empty: bool,
    section: Section,
}

/// The end of a document without task-service.
const WITHOUT_TASKS: &[u8] =
    b"],\"tasks\":null,\"past_reminders\":null,\"task_security_events\":null}\n";

/// The next section to write.
enum Section {
    Head,
    /// All, or those after this id.
    Sessions(Option<String>),
    /// The page of this token; empty: the first.
    Events(String),
    Tasks,
    PastReminders,
    /// Security events of task-service, by page token.
    TaskEvents(String),
    End,
}

impl ExportWriter {
    /// The next chunk; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match std::mem::replace(&mut self.section, Section::End) {
            Section::Head => {
                self.text.pop(); // the closing brace
                self.open("sessions", Section::Sessions(None));
            }
            Section::Sessions(behind) => self.write_sessions(behind.as_deref()).await?,
            Section::Events(token) => self.write_events(&token).await?,
            Section::Tasks => self.write_tasks().await?,
            Section::PastReminders => match self.next_batch().await? {
                Some(batch) => {
                    self.add(&batch.reminders);
                    self.section = Section::PastReminders;
                }
                None => self.begin_task_events(),
            },
            Section::TaskEvents(token) => self.write_task_events(token).await?,
            Section::End => return Ok(None),
        }
        Ok(Some(std::mem::take(&mut self.text)))
    }

    async fn write_sessions(&mut self, behind: Option<&str>) -> Result<(), Error> {
        let sessions = self.store.sessions_after(&self.user.id, behind, SESSIONS).await?;
        let sessions = self.sessions.with_last_uses(sessions).await?;
        self.add(&objects(sessions.iter().map(HeldSession::from)));
        match sessions.last().filter(|_| sessions.len() as u64 == SESSIONS) {
            Some(last) => self.section = Section::Sessions(Some(last.session.id.clone())),
            None => self.close_and_open("security_events", Section::Events(String::new())),
        }
        Ok(())
    }

    async fn write_events(&mut self, token: &str) -> Result<(), Error> {
        let request = PageRequest::read(EVENTS, token, &self.user.id)?;
        let page = self.store.security_events_of(&self.user, &request).await?;
        self.add(&objects(page.events.into_iter().map(HeldEvent::from)));
        match page.next {
            Some(next) => self.section = Section::Events(next),
            None if self.remote.is_some() => self.close_and_open("tasks", Section::Tasks),
            None => self.text.extend(WITHOUT_TASKS),
        }
        Ok(())
    }

    fn begin_task_events(&mut self) {
        self.close_and_open("task_security_events", Section::TaskEvents(String::new()));
    }

    async fn write_task_events(&mut self, token: String) -> Result<(), Error> {
        let Some(RemoteTasks { service, id, access, .. }) = &self.remote else { return Ok(()) };
        // A new token for each page: the tasks before may have taken longer than its lifetime.
        let access_token = access.issue_bare(id)?.token;
        let page = service.security_events(id, &access_token, token).await?;
        self.add(&page.events);
        match page.next {
            Some(next) => self.section = Section::TaskEvents(next),
            None => self.text.extend(b"]}\n"),
        }
        Ok(())
    }

    async fn write_tasks(&mut self) -> Result<(), Error> {
        let batch = self.next_batch().await?;
        match batch {
            Some(batch) if batch.reminders.is_empty() => {
                self.add(&batch.tasks);
                self.section = Section::Tasks;
            }
            Some(batch) => {
                self.close_and_open("past_reminders", Section::PastReminders);
                self.add(&batch.reminders);
            }
            None => {
                self.close_and_open("past_reminders", Section::PastReminders);
                self.begin_task_events();
            }
        }
        Ok(())
    }

    /// The next batch of task-service; `None` at the end.
    async fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        match &mut self.remote {
            Some(remote) => Ok(remote.tasks.next().await?),
            None => Ok(None),
        }
    }

    /// Opens the list of `section`.
    fn open(&mut self, name: &str, section: Section) {
        self.text.extend(format!(",\"{name}\":[").bytes());
        self.is_list_empty = true;
        self.section = section;
    }

    fn close_and_open(&mut self, name: &str, section: Section) {
        self.text.push(b']');
        self.open(name, section);
    }

    /// Appends elements to the open list.
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
