//! The writer of the audit log: from the queue to the table.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{Record, SecurityEvents};
use crate::audit_log::log::{Entry, Inner};

/// The most events that one statement inserts.
const BATCH: usize = 100;

/// The backoff after a failure: first and longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(15)];

/// Inserts recorded events in batches, until the audit log is dropped.
pub struct Writer {
    events: SecurityEvents,
    waiting: mpsc::Receiver<Entry>,
    inner: Arc<Inner>,
}

impl Writer {
    pub(super) fn new(
        events: SecurityEvents,
        waiting: mpsc::Receiver<Entry>,
        inner: Arc<Inner>,
    ) -> Self {
        Self { events, waiting, inner }
    }

    /// Runs until the audit log is dropped.
    pub async fn run(mut self) {
        let mut entries = Vec::with_capacity(BATCH);
        while self.waiting.recv_many(&mut entries, BATCH).await > 0 {
            let (mut records, mut marks) = (Vec::with_capacity(entries.len()), Vec::new());
            for entry in entries.drain(..) {
                match entry {
                    Entry::Event(record) => records.push(*record),
                    Entry::Mark(mark) => marks.push(mark),
                }
            }
            self.write(&records).await;
            for mark in marks {
                let _ = mark.send(()); // the caller of `flush` may be gone
            }
        }
    }

    /// Inserts `records`, with retries until the database takes them, and logs how many events were
    /// rejected meanwhile.
    async fn write(&self, records: &[Record]) {
        let [mut pause, longest] = PAUSES;
        let mut is_logged = false;
        while let Err(error) = self.events.write(records).await {
            if !is_logged {
                tracing::warn!(%error, "cannot write security events");
                is_logged = true;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
        let unwritten = self.inner.take_unwritten();
        if unwritten > 0 {
            tracing::warn!(unwritten, "security events are in the log alone");
        }
    }
}
