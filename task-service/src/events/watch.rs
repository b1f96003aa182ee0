//! One user's tasks, live: what was missed, then what happens, then that nothing did.
//!
//! It keeps a place and at most one page, and reads on from the place whenever it is woken.
//! So a slow reader costs no more than a quick one; it misses states in between, and never
//! the last one.

use std::time::Duration;

use shared::auth::{Owner, Principal, Refusal};
use tokio::time::{Instant, timeout_at};

use crate::{
    domain::{
        task::{Fired, Task},
        timestamp::Moment,
    },
    error::Error,
    notifications::pubsub::Watcher,
    query::sync::SyncPlace,
    store::{Happening, Tasks},
};

/// What a watcher is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A task is new or has changed.
    Changed(Box<Task>),
    /// A task is gone.
    Deleted(Box<Task>),
    /// A reminder is due. The task is as it is now.
    Reminder(Fired, Box<Task>),
    /// Nothing has happened until this moment.
    Heartbeat(Moment),
}

/// Somebody who watches their own tasks.
pub struct Watch {
    tasks: Tasks,
    owner: Owner,
    expires_at: Moment,
    period: Duration,
    watcher: Watcher,
    /// What has been read and not told.
    page: std::vec::IntoIter<(SyncPlace, Happening)>,
    /// Behind what was told last.
    place: SyncPlace,
    /// Behind the page.
    next: SyncPlace,
    /// Whether there is more behind the page.
    more: bool,
    /// When to say that nothing happened.
    beat: Instant,
}

impl Watch {
    /// Begins after `after`, or with nothing; refuses a place that is too old. It lasts as
    /// long as the token of `principal`, and says something every `period` at least.
    pub async fn begin(
        tasks: Tasks,
        principal: &Principal,
        owner: Owner,
        after: Option<SyncPlace>,
        period: Duration,
    ) -> Result<Self, Error> {
        // Before anything is read: what changes from now on wakes.
        let watcher = tasks.hub().watch(owner.user().as_str());
        let place = match after {
            Some(place) => place,
            None => tasks.beginning(&owner).await?,
        };
        let mut watch = Self {
            expires_at: Moment::from_micros(principal.expires_at().timestamp_micros()),
            watcher,
            page: Vec::new().into_iter(),
            place,
            next: place,
            more: false,
            beat: Instant::now() + period,
            tasks,
            owner,
            period,
        };
        watch.read().await?;
        Ok(watch)
    }

    /// The next event, and the place behind it. After an error it is over.
    pub async fn next(&mut self) -> Result<(Event, SyncPlace), Error> {
        loop {
            if self.tasks.now() >= self.expires_at {
                return Err(Refusal::TokenExpired.into());
            }
            let event = match self.page.next() {
                Some((place, happening)) => {
                    self.place = place;
                    // In a box, as all that asks the database: while nothing happens, which
                    // is nearly always, its room is not kept.
                    Box::pin(self.told(happening)).await?
                }
                None if self.more => {
                    Box::pin(self.read()).await?;
                    None
                }
                None => Box::pin(self.wait()).await?,
            };
            if let Some(event) = event {
                self.beat = Instant::now() + self.period;
                return Ok((event, self.place));
            }
        }
    }

    /// Who watches.
    pub fn user_id(&self) -> &str {
        self.owner.user().as_str()
    }

    async fn told(&self, happening: Happening) -> Result<Option<Event>, Error> {
        Ok(match happening {
            Happening::Changed(task) if task.deleted_at.is_some() => Some(Event::Deleted(task)),
            Happening::Changed(task) => Some(Event::Changed(task)),
            Happening::Fired(fired) => {
                let task = self.tasks.reminded(&self.owner, fired.task_id).await?;
                task.map(|task| Event::Reminder(fired, Box::new(task)))
            }
        })
    }

    /// Waits until it is woken, or the token ends, or a heartbeat is due; then looks. A
    /// wake-up can be lost on its way between replicas: then the heartbeat finds what it
    /// was about.
    async fn wait(&mut self) -> Result<Option<Event>, Error> {
        let left = self.expires_at.micros().saturating_sub(self.tasks.now().micros());
        let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
        let until = self.beat.min(Instant::now() + left.min(self.period));
        let woken = timeout_at(until, self.watcher.woken()).await.is_ok();
        let is_over = self.tasks.now() >= self.expires_at;
        if is_over || !(woken || Instant::now() >= self.beat) {
            return Ok(None);
        }
        Box::pin(self.read()).await?;
        let is_idle = self.page.len() == 0 && !self.more;
        let beats = is_idle && Instant::now() >= self.beat;
        Ok(beats.then(|| Event::Heartbeat(self.tasks.now())))
    }

    /// Reads a page from where the last one ended.
    async fn read(&mut self) -> Result<(), Error> {
        let hub = self.tasks.hub().clone();
        let _turn = hub.turn().await;
        let happened = self.tasks.happened(&self.owner, self.next).await?;
        if happened.events.is_empty() {
            self.place = happened.next;
        }
        self.page = happened.events.into_iter();
        self.next = happened.next;
        self.more = happened.more;
        Ok(())
    }
}
