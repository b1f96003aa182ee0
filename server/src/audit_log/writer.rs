//! Takes events from the trail to the table.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{Record, SecurityEvents};
use crate::audit_log::log::{Entry, Inner};

/// How many events one statement writes at most.
const BATCH: usize = 100;

/// How long to wait after a failure, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(15)];

/// Writes what is noted, many at a time, for as long as there is somebody to note anything.
pub struct Writer {
    events: SecurityEvents,
    waiting: mpsc::Receiver<Entry>,
    noted: Arc<Inner>,
}

impl Writer {
    pub(super) fn new(
        events: SecurityEvents,
        waiting: mpsc::Receiver<Entry>,
        noted: Arc<Inner>,
    ) -> Self {
        Self { events, waiting, noted }
    }

    /// Writes until it is dropped.
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
                let _ = mark.send(()); // whoever waited may have left
            }
        }
    }

    /// Writes `records`, again and again until the database takes them. Those that find no
    /// room meanwhile are counted, and told of.
    async fn write(&self, records: &[Record]) {
        let [mut pause, longest] = PAUSES;
        let mut is_told = false;
        while let Err(error) = self.events.keep(records).await {
            if !is_told {
                tracing::warn!(%error, "cannot write security events");
                is_told = true;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
        let unwritten = self.noted.take_unwritten();
        if unwritten > 0 {
            tracing::warn!(unwritten, "security events are in the log alone");
        }
    }
}
