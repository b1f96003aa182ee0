//! Pub/sub of changes in this process, and the outbox of notifications for other replicas.
//!
//! A notification has no content: a notified subscriber reads on from its cursor. So nothing is queued
//! for slow readers, and a needless notification costs one read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, Semaphore, SemaphorePermit, watch};

use crate::notifications::notification::{Notification, Users};

/// The most notified subscribers that read at a time: a change for all users or a new connection must
/// not starve calls of the database.
const READERS: usize = 4;

/// The subscriptions of this process.
#[derive(Clone)]
pub struct PubSub(Arc<Inner>);

struct Inner {
    subscribers: Mutex<HashMap<Arc<str>, watch::Sender<()>>>,
    reminders: watch::Sender<()>,
    readers: Semaphore,
    outbox: Option<Outbox>,
}

/// The outbox: the pending notification of other replicas.
#[derive(Default)]
struct Outbox {
    pending: Mutex<Notification>,
    ready: Notify,
}

impl PubSub {
    /// No subscriptions yet. `has_replicas`: changes are also put into the outbox.
    pub fn new(has_replicas: bool) -> Self {
        Self(Arc::new(Inner {
            subscribers: Mutex::default(),
            reminders: watch::Sender::new(()),
            readers: Semaphore::new(READERS),
            outbox: has_replicas.then(Outbox::default),
        }))
    }

    /// Subscribes to the changes of `user`, from now on.
    pub fn subscribe(&self, user: &str) -> Subscription {
        let user: Arc<str> = user.into();
        let wakeups = self.subscribers().entry(user.clone()).or_default().subscribe();
        Subscription { pubsub: self.clone(), user, wakeups: Some(wakeups) }
    }

    /// Subscribes to the reminders of all users, from now on.
    pub fn subscribe_reminders(&self) -> watch::Receiver<()> {
        self.0.reminders.subscribe()
    }

    /// Publishes a committed change of `user`.
    pub fn publish_change(&self, user: &str) {
        self.wake(user);
        self.enqueue(|pending| pending.add(user));
    }

    /// Publishes that reminders have fired.
    pub fn publish_reminder(&self) {
        self.0.reminders.send_replace(());
        self.enqueue(|pending| pending.reminders = true);
    }

    /// Delivers the notification of another replica.
    pub fn deliver(&self, notification: &Notification) {
        match &notification.users {
            Users::These(users) => users.iter().for_each(|user| self.wake(user)),
            Users::All => self.subscribers().values().for_each(|wakeups| wakeups.send_replace(())),
        }
        if notification.reminders {
            self.0.reminders.send_replace(());
        }
    }

    /// Waits until the outbox has a notification; forever without replicas.
    pub async fn outbox_ready(&self) {
        match &self.0.outbox {
            Some(outbox) => outbox.ready.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Takes the notification out of the outbox.
    pub fn take_outbox(&self) -> Notification {
        let mut pending = Notification::default();
        self.edit_outbox(|kept| std::mem::swap(kept, &mut pending));
        pending
    }

    /// Puts a notification back that could not be sent.
    pub fn requeue(&self, notification: Notification) {
        self.enqueue(|pending| pending.extend(notification));
    }

    /// The permit of a read after a notification.
    pub async fn read_permit(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.0.readers.acquire().await.ok()
    }

    /// The number of users with subscriptions.
    #[cfg(test)]
    pub fn subscribed_users(&self) -> usize {
        self.subscribers().len()
    }

    fn wake(&self, user: &str) {
        if let Some(wakeups) = self.subscribers().get(user) {
            wakeups.send_replace(());
        }
    }

    fn enqueue(&self, what: impl FnOnce(&mut Notification)) {
        self.edit_outbox(what);
        if let Some(outbox) = &self.0.outbox {
            outbox.ready.notify_one();
        }
    }

    fn edit_outbox(&self, what: impl FnOnce(&mut Notification)) {
        if let Some(outbox) = &self.0.outbox {
            what(&mut outbox.pending.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn subscribers(&self) -> MutexGuard<'_, HashMap<Arc<str>, watch::Sender<()>>> {
        self.0.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A subscription to the changes of one user.
pub struct Subscription {
    pubsub: PubSub,
    user: Arc<str>,
    /// `None` during the drop.
    wakeups: Option<watch::Receiver<()>>,
}

impl Subscription {
    /// Waits until a notification since the last return.
    pub async fn notified(&mut self) {
        match &mut self.wakeups {
            // The sender lives as long as there is a subscription.
            Some(wakeups) => drop(wakeups.changed().await),
            None => std::future::pending().await,
        }
    }
}

impl Drop for Subscription {
    /// The last subscription of a user removes the sender.
    fn drop(&mut self) {
        let mut subscribers = self.pubsub.subscribers();
        self.wakeups = None;
        if subscribers.get(&self.user).is_some_and(|wakeups| wakeups.receiver_count() == 0) {
            subscribers.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn is_notified(subscription: &mut Subscription) -> bool {
        subscription.notified().now_or_never().is_some()
    }

    #[test]
    fn subscribers_of_a_user_are_notified_and_no_others() {
        let pubsub = PubSub::new(false);
        pubsub.publish_change("alice");
        let (mut one, mut two, mut bob) =
            (pubsub.subscribe("alice"), pubsub.subscribe("alice"), pubsub.subscribe("bob"));
        assert!(!is_notified(&mut one), "that was before");
        pubsub.publish_change("alice");
        pubsub.publish_change("alice");
        assert_eq!([&mut one, &mut two, &mut bob].map(is_notified), [true, true, false]);
        assert!(!is_notified(&mut one), "once for both");
        pubsub.deliver(&Notification::for_all());
        assert_eq!([&mut one, &mut two, &mut bob].map(is_notified), [true; 3]);
        assert!(pubsub.take_outbox() == Notification::default(), "no replicas");
    }

    #[test]
    fn the_last_subscription_leaves_nothing_behind() {
        let pubsub = PubSub::new(false);
        let (one, mut two) = (pubsub.subscribe("alice"), pubsub.subscribe("alice"));
        drop(one);
        pubsub.publish_change("alice");
        assert!(is_notified(&mut two));
        drop(two);
        assert_eq!(pubsub.subscribed_users(), 0);
        let mut again = pubsub.subscribe("alice");
        assert!(!is_notified(&mut again));
    }

    #[test]
    fn other_replicas_are_notified_of_changes_once_and_not_of_their_own() {
        let pubsub = PubSub::new(true);
        pubsub.deliver(&Notification::for_all());
        assert!(pubsub.outbox_ready().now_or_never().is_none());
        assert_eq!(pubsub.take_outbox(), Notification::default());
        pubsub.publish_change("alice");
        pubsub.publish_change("alice");
        pubsub.publish_reminder();
        assert!(pubsub.outbox_ready().now_or_never().is_some());
        let pending = pubsub.take_outbox();
        assert_eq!(pending.payloads("here", 100), ["here\n\tfired\nalice"]);
        assert_eq!(pubsub.take_outbox(), Notification::default());
        pubsub.requeue(pending.clone());
        assert!(pubsub.outbox_ready().now_or_never().is_some());
        assert_eq!(pubsub.take_outbox(), pending);
    }

    #[test]
    fn reminders_notify_their_subscribers() {
        let pubsub = PubSub::new(false);
        let mut reader = pubsub.subscribe_reminders();
        pubsub.publish_change("alice");
        assert!(reader.changed().now_or_never().is_none());
        pubsub.publish_reminder();
        assert!(reader.changed().now_or_never().is_some());
    }
}
