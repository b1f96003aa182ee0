//! The audit log: the one way to record a security event.

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

/// The capacity of the queue to the writer.
const QUEUE: usize = 1024;

/// The longest that a shutdown waits for the queue.
const FLUSH: Duration = Duration::from_secs(2);

/// The audit log: events go to the log at once, and to the table soon after. Cheap to clone.
///
/// No call waits for it and none fails because of it. Events that the table does not take,
/// because the queue is full or the database unavailable, are in the log, and their number is
/// logged. By default there is no table.
#[derive(Clone, Default)]
pub struct AuditLog(pub(super) Option<Arc<Inner>>);

pub(super) struct Inner {
    clock: Arc<dyn Clock>,
    sequence: Mutex<ContextV7>,
    dedup: DedupWindow,
    pub(super) queue: mpsc::Sender<Entry>,
    unwritten: AtomicU64,
}

/// A message to the writer.
pub(super) enum Entry {
    Event(Box<Record>),
    /// A flush: everything before it is written.
    Mark(oneshot::Sender<()>),
}

impl AuditLog {
    /// An audit log with the table `events`, and its writer.
    #[must_use]
    pub fn new(events: SecurityEvents, clock: Arc<dyn Clock>) -> (Self, Writer) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let inner = Arc::new(Inner {
            clock,
            sequence: Mutex::new(ContextV7::new()),
            dedup: DedupWindow::default(),
            queue,
            unwritten: AtomicU64::new(0),
        });
        (Self(Some(inner.clone())), Writer::new(events, waiting, inner))
    }

    /// Records an event.
    pub fn record(&self, event: Event) {
        let record = self.new_record(event);
        line::log_event(&record);
        self.enqueue(record);
    }

    /// Records an event that clients can repeat at will: each in the log, one per `key` and minute
    /// in the table.
    pub fn record_deduplicated(&self, event: Event, key: &str) {
        if self.is_new(event.kind, event.user_id.is_some(), key) {
            self.record(event);
        } else {
            line::log_event(&self.new_record(event));
        }
    }

    /// Whether a repeatable event of a user is to be written for this `key` now; `true` at most
    /// once a minute. For events whose user is costly to find.
    #[must_use]
    pub fn is_due(&self, kind: EventKind, key: &str) -> bool {
        self.is_new(kind, true, key)
    }

    fn is_new(&self, kind: EventKind, has_user: bool, key: &str) -> bool {
        let Some(inner) = &self.0 else { return false };
        inner.dedup.admits(Topic { kind, has_user }, key, inner.clock.now())
    }

    /// A record that the caller writes in the transaction of its cause (see
    /// [`insert`](super::insert)). After the commit, [`log_event`](Self::log_event) it.
    #[must_use]
    pub fn new_record(&self, event: Event) -> Record {
        match &self.0 {
            Some(inner) => Record::new(event, inner.clock.now(), &inner.sequence),
            None => Record::new(event, chrono::DateTime::UNIX_EPOCH, NoContext),
        }
    }

    /// Logs a record that is in the table already.
    pub fn log_event(&self, record: &Record) {
        line::log_event(record);
    }

    /// Waits until all recorded events are written, for at most two seconds.
    pub async fn flush(&self) {
        let Some(inner) = &self.0 else { return };
        let (written, mark) = oneshot::channel();
        let flush = async {
            inner.queue.send(Entry::Mark(written)).await.ok()?;
            mark.await.ok()
        };
        if tokio::time::timeout(FLUSH, flush).await.ok().flatten().is_none() {
            tracing::warn!("the last security events are in the log alone");
        }
    }

    /// [`flush`](Self::flush) as work for the shutdown.
    pub async fn flushed(self) {
        self.flush().await;
    }

    fn enqueue(&self, record: Record) {
        if let Some(inner) = &self.0
            && inner.queue.try_send(Entry::Event(Box::new(record))).is_err()
        {
            inner.unwritten.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Inner {
    /// The number of events that the full queue rejected since the last call.
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
