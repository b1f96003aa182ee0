//! Who waits for news of whom, in this process.
//!
//! A wake-up carries nothing: whoever is woken reads what is new from where it stands. So
//! nothing is kept for those who are slow, and a wake-up too many costs a look.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, Semaphore, SemaphorePermit, watch};

use crate::notifications::notification::{Notice, Users};

/// How many of those who were woken read at a time: one change for everybody, or a
/// connection that is back, must not keep calls from the database.
const READERS: usize = 4;

/// Wakes whoever watches.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    watched: Mutex<HashMap<Arc<str>, watch::Sender<()>>>,
    firings: watch::Sender<()>,
    turns: Semaphore,
    outbox: Option<Outbox>,
}

/// What other replicas have not been told.
#[derive(Default)]
struct Outbox {
    unsaid: Mutex<Notice>,
    some: Notify,
}

impl Hub {
    /// Nobody watches yet. `among_replicas`: what changes is also kept for
    /// [`Hub::unsaid`].
    pub fn new(among_replicas: bool) -> Self {
        Self(Arc::new(Inner {
            watched: Mutex::default(),
            firings: watch::Sender::new(()),
            turns: Semaphore::new(READERS),
            outbox: among_replicas.then(Outbox::default),
        }))
    }

    /// Watches `user`, from now on.
    pub fn watch(&self, user: &str) -> Watcher {
        let user: Arc<str> = user.into();
        let news = self.watched().entry(user.clone()).or_default().subscribe();
        Watcher { hub: self.clone(), user, news: Some(news) }
    }

    /// Watches the firings of all users, from now on.
    pub fn watch_firings(&self) -> watch::Receiver<()> {
        self.0.firings.subscribe()
    }

    /// A change of `user` has been committed here.
    pub fn changed(&self, user: &str) {
        self.wake(user);
        self.tell(|unsaid| unsaid.add(user));
    }

    /// Reminders have fired here.
    pub fn fired(&self) {
        self.0.firings.send_replace(());
        self.tell(|unsaid| unsaid.fired = true);
    }

    /// Something has happened at another replica.
    pub fn heard(&self, notice: &Notice) {
        match &notice.users {
            Users::These(users) => users.iter().for_each(|user| self.wake(user)),
            Users::All => self.watched().values().for_each(|news| news.send_replace(())),
        }
        if notice.fired {
            self.0.firings.send_replace(());
        }
    }

    /// Waits until there is something that other replicas have not been told. Never ends
    /// where there are none.
    pub async fn something_unsaid(&self) {
        match &self.0.outbox {
            Some(outbox) => outbox.some.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Takes what other replicas have not been told.
    pub fn unsaid(&self) -> Notice {
        let mut unsaid = Notice::default();
        self.tell_quietly(|kept| std::mem::swap(kept, &mut unsaid));
        unsaid
    }

    /// Puts back what could not be told.
    pub fn keep(&self, notice: Notice) {
        self.tell(|unsaid| unsaid.extend(notice));
    }

    /// Waits for one's turn to read.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.0.turns.acquire().await.ok()
    }

    /// How many users are watched.
    #[cfg(test)]
    pub fn watched_users(&self) -> usize {
        self.watched().len()
    }

    fn wake(&self, user: &str) {
        if let Some(news) = self.watched().get(user) {
            news.send_replace(());
        }
    }

    fn tell(&self, what: impl FnOnce(&mut Notice)) {
        self.tell_quietly(what);
        if let Some(outbox) = &self.0.outbox {
            outbox.some.notify_one();
        }
    }

    fn tell_quietly(&self, what: impl FnOnce(&mut Notice)) {
        if let Some(outbox) = &self.0.outbox {
            what(&mut outbox.unsaid.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<Arc<str>, watch::Sender<()>>> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who watches one user.
pub struct Watcher {
    hub: Hub,
    user: Arc<str>,
    /// `None` while it leaves.
    news: Option<watch::Receiver<()>>,
}

impl Watcher {
    /// Waits until something may have changed since this returned last.
    pub async fn woken(&mut self) {
        match &mut self.news {
            // The hub keeps the other end as long as somebody watches.
            Some(news) => drop(news.changed().await),
            None => std::future::pending().await,
        }
    }
}

impl Drop for Watcher {
    /// The last one turns off the light.
    fn drop(&mut self) {
        let mut watched = self.hub.watched();
        self.news = None;
        if watched.get(&self.user).is_some_and(|news| news.receiver_count() == 0) {
            watched.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn is_woken(watcher: &mut Watcher) -> bool {
        watcher.woken().now_or_never().is_some()
    }

    #[test]
    fn who_watches_a_user_is_woken_and_nobody_else() {
        let hub = Hub::new(false);
        hub.changed("alice");
        let (mut one, mut two, mut bob) =
            (hub.watch("alice"), hub.watch("alice"), hub.watch("bob"));
        assert!(!is_woken(&mut one), "that was before");
        hub.changed("alice");
        hub.changed("alice");
        assert_eq!([&mut one, &mut two, &mut bob].map(is_woken), [true, true, false]);
        assert!(!is_woken(&mut one), "once for both");
        hub.heard(&Notice::everything());
        assert_eq!([&mut one, &mut two, &mut bob].map(is_woken), [true; 3]);
        assert!(hub.unsaid() == Notice::default(), "there is nobody to tell");
    }

    #[test]
    fn the_last_watcher_leaves_nothing_behind() {
        let hub = Hub::new(false);
        let (one, mut two) = (hub.watch("alice"), hub.watch("alice"));
        drop(one);
        hub.changed("alice");
        assert!(is_woken(&mut two));
        drop(two);
        assert_eq!(hub.watched_users(), 0);
        let mut again = hub.watch("alice");
        assert!(!is_woken(&mut again));
    }

    #[test]
    fn other_replicas_are_told_what_changed_here_once_and_not_what_they_said() {
        let hub = Hub::new(true);
        hub.heard(&Notice::everything());
        assert!(hub.something_unsaid().now_or_never().is_none());
        assert_eq!(hub.unsaid(), Notice::default());
        hub.changed("alice");
        hub.changed("alice");
        hub.fired();
        assert!(hub.something_unsaid().now_or_never().is_some());
        let unsaid = hub.unsaid();
        assert_eq!(unsaid.texts("here", 100), ["here\n\tfired\nalice"]);
        assert_eq!(hub.unsaid(), Notice::default());
        hub.keep(unsaid.clone());
        assert!(hub.something_unsaid().now_or_never().is_some());
        assert_eq!(hub.unsaid(), unsaid);
    }

    #[test]
    fn firings_wake_their_readers() {
        let hub = Hub::new(false);
        let mut reader = hub.watch_firings();
        hub.changed("alice");
        assert!(reader.changed().now_or_never().is_none());
        hub.fired();
        assert!(reader.changed().now_or_never().is_some());
    }
}
