//! The per-user queue and the permits of concurrent work, so that one user's work does not starve
//! others.
//!
//! The changes of one user queue here, before they take a connection: in the database they would
//! queue anyway, each with one of the few connections. Expensive work has a limit of concurrency.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, PoisonError, Weak},
    time::Duration,
};

use sea_orm::{ConnAcquireErr, DbErr};
use server::client_prefix;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// The longest wait in a queue: as long as for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(4);

/// The most concurrent counts.
const COUNTS: usize = 2;

/// The most concurrent searches: fewer than there are connections.
const SEARCHES: usize = 4;

/// The most concurrent imports: each has a file on disk.
const IMPORTS: usize = 8;

/// The most concurrent imports of one client address, or one IPv6 /64, since a slow upload holds
/// one.
const IMPORTS_PER_CLIENT: usize = 2;

/// The most concurrent imports in the phase of storing.
const STORES: usize = 2;

/// The queues of all users, and the limits of concurrent work.
#[derive(Clone)]
pub struct UserQueues {
    /// The queues of changes.
    pub changes: UserQueue,
    counting: UserQueue,
    counts: Arc<Semaphore>,
    searching: UserQueue,
    searches: Arc<Semaphore>,
    importing: UserQueue,
    imports: Arc<Semaphore>,
    clients: ClientLimit,
    stores: Arc<Semaphore>,
}

impl Default for UserQueues {
    fn default() -> Self {
        Self {
            changes: UserQueue::default(),
            counting: UserQueue::default(),
            counts: Arc::new(Semaphore::new(COUNTS)),
            searching: UserQueue::default(),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            importing: UserQueue::default(),
            imports: Arc::new(Semaphore::new(IMPORTS)),
            clients: ClientLimit::default(),
            stores: Arc::new(Semaphore::new(STORES)),
        }
    }
}

impl UserQueues {
    /// Runs a count for `user`: one at a time, within the limit of all.
    pub async fn count<T: Send + 'static>(
        &self,
        user: &str,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        Self::run_in_queue(&self.counting, &self.counts, user, work).await
    }

    /// Runs a search for `user`: one at a time, within the limit of all.
    pub async fn search<T: Send + 'static>(
        &self,
        user: &str,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        Self::run_in_queue(&self.searching, &self.searches, user, work).await
    }

    /// The work and its permits outlive a cancelled caller, as the statement does in the database.
    async fn run_in_queue<T: Send + 'static>(
        queue: &UserQueue,
        all: &Arc<Semaphore>,
        user: &str,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let guard = queue.acquire(user).await?;
        let permit = all.clone().acquire_owned().await.map_err(|_| busy())?;
        let work = tokio::spawn(async move {
            let done = work.await;
            drop((guard, permit));
            done
        });
        work.await.map_err(|_| busy())?
    }

    /// The permit of an import: one for each user, few for each client address, and few in all;
    /// `None` beyond a limit.
    pub fn import(&self, user: &str, from: Option<IpAddr>) -> Option<ImportPermit> {
        let guard = self.importing.try_acquire(user)?;
        let permit = self.imports.clone().try_acquire_owned().ok()?;
        let client = match from {
            Some(address) => Some(self.clients.acquire(client_prefix(address))?),
            None => None,
        };
        Some(ImportPermit { guard, permit, client })
    }

    /// The permit of storing an import.
    pub async fn store(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.stores.clone().acquire_owned().await.map_err(|_| busy())
    }
}

/// The permit of an import; released when dropped.
#[expect(dead_code, reason = "given back when dropped")]
pub struct ImportPermit {
    guard: QueueGuard,
    permit: OwnedSemaphorePermit,
    client: Option<ClientPermit>,
}

/// The number of imports from each client address.
#[derive(Clone, Default)]
struct ClientLimit(Arc<std::sync::Mutex<HashMap<IpAddr, usize>>>);

/// One import of a client address; released when dropped.
struct ClientPermit {
    all: ClientLimit,
    address: IpAddr,
}

impl ClientLimit {
    fn acquire(&self, address: IpAddr) -> Option<ClientPermit> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = all.entry(address).or_default();
        if *here >= IMPORTS_PER_CLIENT {
            return None;
        }
        *here += 1;
        Some(ClientPermit { all: self.clone(), address })
    }
}

impl Drop for ClientPermit {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = all.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                all.remove(&self.address);
            }
        }
    }
}

fn busy() -> Error {
    DbErr::ConnectionAcquire(ConnAcquireErr::Timeout).into()
}

/// The queues, one for each user with something to wait for.
#[derive(Clone, Default)]
pub struct UserQueue(Arc<std::sync::Mutex<HashMap<String, Weak<Mutex<()>>>>>);

impl UserQueue {
    /// Waits for the guard of `user`; an error after four seconds.
    pub async fn acquire(&self, user: &str) -> Result<QueueGuard, Error> {
        let lock = tokio::time::timeout(ACQUIRE_TIMEOUT, self.lock_of(user).lock_owned()).await;
        Ok(self.guard(user, lock.map_err(|_| busy())?))
    }

    /// The guard of `user`, if it is free.
    fn try_acquire(&self, user: &str) -> Option<QueueGuard> {
        let lock = self.lock_of(user).try_lock_owned().ok()?;
        Some(self.guard(user, lock))
    }

    fn lock_of(&self, user: &str) -> Arc<Mutex<()>> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = queue.get(user).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::default();
        queue.insert(user.to_owned(), Arc::downgrade(&lock));
        lock
    }

    fn guard(&self, user: &str, guard: OwnedMutexGuard<()>) -> QueueGuard {
        QueueGuard { queue: self.clone(), user: user.to_owned(), guard: Some(guard) }
    }
}

/// The guard of a queue; released when dropped.
pub struct QueueGuard {
    queue: UserQueue,
    user: String,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Drop for QueueGuard {
    fn drop(&mut self) {
        self.guard = None;
        let mut queue = self.queue.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Waiting callers hold the lock.
        if queue.get(&self.user).is_some_and(|lock| lock.strong_count() == 0) {
            queue.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_users_work_waits_for_itself_alone_and_leaves_nothing_behind() {
        let queue = UserQueue::default();
        let first = queue.acquire("ada").await.expect("free");
        queue.acquire("bob").await.expect("his own");
        assert!(queue.try_acquire("ada").is_none());
        let waiting = tokio::spawn({
            let queue = queue.clone();
            async move { queue.acquire("ada").await.map(drop) }
        });
        tokio::task::yield_now().await;
        drop(first);
        waiting.await.expect("no panic").expect("her turn");
        assert!(queue.0.lock().expect("sound").is_empty());
    }

    #[tokio::test]
    async fn a_cancelled_count_keeps_its_permit_to_the_end() {
        let queues = UserQueues::default();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let slow = queues.count("ada", async move {
            let _ = ended.await;
            Ok(())
        });
        let given_up = tokio::time::timeout(Duration::from_millis(20), slow).await;
        assert!(given_up.is_err());
        assert!(queues.counting.try_acquire("ada").is_none());
        assert_eq!(queues.count("bob", async { Ok(7) }).await.expect("counted"), 7);
        end.send(()).expect("it still runs");
        queues.count("ada", async { Ok(()) }).await.expect("her turn");
    }

    #[test]
    fn a_user_imports_once_at_a_time_and_all_together_a_few_times() {
        let queues = UserQueues::default();
        let mut open: Vec<_> =
            (0..IMPORTS).filter_map(|n| queues.import(&n.to_string(), None)).collect();
        assert_eq!(open.len(), IMPORTS);
        assert!(queues.import("one more", None).is_none());
        drop(open.pop());
        assert!(queues.import("0", None).is_none(), "hers is still open");
        assert!(queues.import("one more", None).is_some());
    }

    /// Eight accounts at one address do not use up all imports.
    #[test]
    fn each_client_address_has_a_share_of_the_imports() {
        let queues = UserQueues::default();
        let from = |text: &str| Some(text.parse().expect("an address"));
        let one = from("2001:db8::1");
        let mut open: Vec<_> =
            (0..IMPORTS).filter_map(|n| queues.import(&n.to_string(), one)).collect();
        assert_eq!(open.len(), IMPORTS_PER_CLIENT);
        assert!(queues.import("neighbour", from("2001:db8::2")).is_none(), "the same /64");
        assert!(queues.import("victim", from("192.0.2.1")).is_some());
        drop(open.pop());
        assert!(queues.import("neighbour", from("2001:db8::2")).is_some());
        open.clear();
        assert!(queues.clients.0.lock().expect("sound").is_empty());
    }
}
