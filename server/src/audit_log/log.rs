//! The one way for an event to be noted.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use shared::{
    auth::{OwnershipObserver, UserId},
    clock::Clock,
};
use tokio::sync::{mpsc, oneshot};
use uuid::{ContextV7, NoContext};

use super::{Event, EventKind, Record, SecurityEvents, Writer, line};
use crate::audit_log::dedup::{DedupWindow, Topic};

/// How many events may wait to be written.
const QUEUE: usize = 1024;

/// How long the end of a service waits for them.
const FLUSH: Duration = Duration::from_secs(2);

/// Where events are noted: in the log at once, in the table a moment later. Cheap to clone.
///
/// No call waits for it and none fails because of it. What the table does not take, because
/// more happens than can be written or the database is away, stands in the log all the
/// same, and how much that was is logged. By default there is no table.
#[derive(Clone, Default)]
pub struct AuditLog(pub(super) Option<Arc<Inner>>);

pub(super) struct Inner {
    clock: Arc<dyn Clock>,
    sequence: Mutex<ContextV7>,
    quiet: DedupWindow,
    pub(super) queue: mpsc::Sender<Entry>,
    unwritten: AtomicU64,
}

/// What the writer is sent.
pub(super) enum Entry {
    Event(Box<Record>),
    /// All before it is written.
    Mark(oneshot::Sender<()>),
}

impl AuditLog {
    /// A trail that leads to `events`, and what takes it there.
    #[must_use]
    pub fn new(events: SecurityEvents, clock: Arc<dyn Clock>) -> (Self, Writer) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let noted = Arc::new(Inner {
            clock,
            sequence: Mutex::new(ContextV7::new()),
            quiet: DedupWindow::default(),
            queue,
            unwritten: AtomicU64::new(0),
        });
        (Self(Some(noted.clone())), Writer::new(events, waiting, noted))
    }

    /// Notes what happened.
    pub fn note(&self, event: Event) {
        let record = self.record(event);
        line::say(&record);
        self.enqueue(record);
    }

    /// Notes what can be repeated at will: the log gets each, the table one of a `key` a
    /// minute.
    pub fn record_deduplicated(&self, event: Event, key: &str) {
        if self.opens_window(event.kind, event.user_id.is_some(), key) {
            self.note(event);
        } else {
            line::say(&self.record(event));
        }
    }

    /// Whether what can be repeated at will is to be written for this `key` now; asked for
    /// once, it is not for a minute. For events of users of which it takes work to tell
    /// whose they are.
    #[must_use]
    pub fn is_due(&self, kind: EventKind, key: &str) -> bool {
        self.opens_window(kind, true, key)
    }

    fn opens_window(&self, kind: EventKind, is_somebodys: bool, key: &str) -> bool {
        let Some(noted) = &self.0 else { return false };
        noted.quiet.opens_for(Topic { kind, is_somebodys }, key, noted.clock.now())
    }

    /// An event that is to be written with what it is about, in one transaction (see
    /// [`insert`](super::insert)). Once that is committed, [`say`](Self::say) it.
    #[must_use]
    pub fn record(&self, event: Event) -> Record {
        match &self.0 {
            Some(noted) => Record::new(event, noted.clock.now(), &noted.sequence),
            None => Record::new(event, chrono::DateTime::UNIX_EPOCH, NoContext),
        }
    }

    /// Says in the log what is in the table already.
    pub fn say(&self, record: &Record) {
        line::say(record);
    }

    /// Waits until all that was noted is written, two seconds at most.
    pub async fn flush(&self) {
        let Some(noted) = &self.0 else { return };
        let (written, mark) = oneshot::channel();
        let flush = async {
            noted.queue.send(Entry::Mark(written)).await.ok()?;
            mark.await.ok()
        };
        if tokio::time::timeout(FLUSH, flush).await.ok().flatten().is_none() {
            tracing::warn!("the last security events are in the log alone");
        }
    }

    /// The same, for the end of a service.
    pub async fn flushed(self) {
        self.flush().await;
    }

    fn enqueue(&self, record: Record) {
        if let Some(noted) = &self.0
            && noted.queue.try_send(Entry::Event(Box::new(record))).is_err()
        {
            noted.unwritten.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Inner {
    /// How many events found no room since it was last asked.
    pub fn take_unwritten(&self) -> u64 {
        self.unwritten.swap(0, Ordering::Relaxed)
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "AuditLog(table)" } else { "AuditLog(log)" })
    }
}

impl OwnershipObserver for AuditLog {
    fn ownership_refused(&self, user: &UserId) {
        let event = Event::of(EventKind::OwnershipRefused, user.as_str());
        self.record_deduplicated(event, user.as_str());
    }
}
