//! The watch stream of one user: missed changes, then live ones, with heartbeats.
//!
//! It holds a cursor and at most one page, and reads on from the cursor after each notification
//! (backpressure): a slow client costs no more than a quick one, and misses intermediate states but
//! never the last one.

use std::{collections::VecDeque, time::Duration};

use shared::{
    auth::{Owner, Principal},
    error::Refusal,
};
use tokio::time::{Instant, timeout_at};

use crate::{
    domain::{
        task::{ReminderEvent, Task},
        timestamp::Timestamp,
    },
    error::Error,
    events::outage::Outage,
    notifications::pubsub::Subscription,
    query::sync::SyncCursor,
    store::{EventPage, StoredEvent, Tasks},
};

/// An event of a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A task is new or has changed.
    Changed(Box<Task>),
    /// A task was deleted.
    Deleted(Box<Task>),
    /// A reminder has fired, with the current task.
    Reminder(ReminderEvent, Box<Task>),
    /// A heartbeat with the current time.
    Heartbeat(Timestamp),
}

/// A watch of a user's own tasks.
pub struct Watch {
    tasks: Tasks,
    owner: Owner,
    expires_at: Timestamp,
    period: Duration,
    watcher: Subscription,
    /// Events that have been read and not sent.
    page: VecDeque<(SyncCursor, StoredEvent)>,
    /// The cursor after the event sent last.
    cursor: SyncCursor,
    /// The cursor after the page.
    next: SyncCursor,
    /// Whether there are more events after the page.
    more: bool,
    /// The time of the next heartbeat.
    beat: Instant,
    outage: Outage,
}

impl Watch {
    /// A watch from the cursor `after`, or from the beginning; refuses a cursor that is too old. It
    /// ends with the token of `principal`, and sends something every `period` at least. It outlasts
    /// an outage of the database of a minute.
    pub async fn begin(
        tasks: Tasks,
        principal: &Principal,
        owner: Owner,
        after: Option<SyncCursor>,
        period: Duration,
    ) -> Result<Self, Error> {
        // Subscribed before the first read, so no change is missed.
        let watcher = tasks.pubsub().subscribe(owner.user().as_str());
        let cursor = match after {
            Some(cursor) => cursor,
            None => tasks.beginning(&owner).await?,
        };
        let mut watch = Self {
            expires_at: Timestamp::from_micros(principal.expires_at().timestamp_micros()),
            watcher,
            page: VecDeque::new(),
            cursor,
            next: cursor,
            more: false,
            beat: Instant::now() + period,
            outage: Outage::default(),
            tasks,
            owner,
            period,
        };
        watch.set_page(read_page(&watch.tasks, &watch.owner, cursor).await?);
        Ok(watch)
    }

    /// The next event, and the cursor after it. An error is the end.
    pub async fn next(&mut self) -> Result<(Event, SyncCursor), Error> {
        loop {
            if self.tasks.now() >= self.expires_at {
                return Err(Refusal::TokenExpired.into());
            }
            let event = match self.page.pop_front() {
                // Boxed, as all database reads: while the stream is idle, which is nearly always,
                // their state takes no memory.
                Some((cursor, event)) => Box::pin(self.resolve(cursor, event)).await?,
                None if self.more || self.outage.is_on() => Box::pin(self.read()).await?,
                None => Box::pin(self.wait()).await?,
            };
            if let Some(event) = event {
                self.beat = Instant::now() + self.period;
                return Ok((event, self.cursor));
            }
        }
    }

    /// The user.
    pub fn user_id(&self) -> &str {
        self.owner.user().as_str()
    }

    /// The event that was read, and moves the cursor behind it; a heartbeat or none while the
    /// database is away.
    async fn resolve(
        &mut self,
        cursor: SyncCursor,
        event: StoredEvent,
    ) -> Result<Option<Event>, Error> {
        let event = match event {
            StoredEvent::Changed(task) if task.deleted_at.is_some() => Some(Event::Deleted(task)),
            StoredEvent::Changed(task) => Some(Event::Changed(task)),
            StoredEvent::Reminder(fired) => {
                let read = self.tasks.reminded(&self.owner, fired.task_id);
                let Some(task) = self.outage.read(self.beat, read).await? else {
                    self.page.push_front((cursor, StoredEvent::Reminder(fired)));
                    return Ok(self.heartbeat());
                };
                task.map(|task| Event::Reminder(fired, Box::new(task)))
            }
        };
        self.cursor = cursor;
        Ok(event)
    }

    /// Waits for a notification, the end of the token or the next heartbeat; then reads. A
    /// notification between replicas can be lost: then the heartbeat finds the change.
    async fn wait(&mut self) -> Result<Option<Event>, Error> {
        let left = self.expires_at.micros().saturating_sub(self.tasks.now().micros());
        let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
        let until = self.beat.min(Instant::now() + left.min(self.period));
        let notified = timeout_at(until, self.watcher.notified()).await.is_ok();
        let is_over = self.tasks.now() >= self.expires_at;
        if is_over || !(notified || Instant::now() >= self.beat) {
            return Ok(None);
        }
        Box::pin(self.read()).await
    }

    /// Reads the next page. A heartbeat, if there is none at its time.
    async fn read(&mut self) -> Result<Option<Event>, Error> {
        let read = read_page(&self.tasks, &self.owner, self.next);
        if let Some(page) = self.outage.read(self.beat, read).await? {
            self.set_page(page);
        }
        Ok(self.heartbeat())
    }

    /// A heartbeat, if it is time and there is nothing else to send.
    fn heartbeat(&self) -> Option<Event> {
        let is_idle = self.outage.is_on() || (self.page.is_empty() && !self.more);
        let beats = is_idle && Instant::now() >= self.beat;
        beats.then(|| Event::Heartbeat(self.tasks.now()))
    }

    /// Replaces the page, which is sent, by the one read after it.
    fn set_page(&mut self, page: EventPage) {
        if page.events.is_empty() {
            self.cursor = page.next;
        }
        self.page = page.events.into();
        self.next = page.next;
        self.more = page.more;
    }
}

async fn read_page(tasks: &Tasks, owner: &Owner, after: SyncCursor) -> Result<EventPage, Error> {
    let _permit = tasks.pubsub().read_permit().await;
    tasks.events_after(owner, after).await
}
