//! Who waits for whom in this process, so that one user's work does not keep others out.
//!
//! The changes of one user queue here, before they take a connection to wait with: in the
//! database they would queue anyway, each with a connection of the few there are. What takes
//! long is done a few at a time.

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

/// How long anybody waits for a turn: as long as for the database.
const PATIENCE: Duration = Duration::from_secs(4);

/// So many counts are made at a time.
const COUNTS: usize = 2;

/// So many searches are made at a time: fewer than there are connections.
const SEARCHES: usize = 4;

/// So many imports are taken in at a time: each holds a file on the disk.
const IMPORTS: usize = 8;

/// So many of them from one address, or one IPv6 /64: whoever sends slowly holds on to one.
const IMPORTS_PER_CLIENT: usize = 2;

/// So many of them are stored at a time.
const STORES: usize = 2;

/// The turns of all users.
#[derive(Clone)]
pub struct Turns {
    /// For changes.
    pub changes: Lanes,
    counting: Lanes,
    counts: Arc<Semaphore>,
    searching: Lanes,
    searches: Arc<Semaphore>,
    importing: Lanes,
    imports: Arc<Semaphore>,
    clients: Clients,
    stores: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            changes: Lanes::default(),
            counting: Lanes::default(),
            counts: Arc::new(Semaphore::new(COUNTS)),
            searching: Lanes::default(),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            importing: Lanes::default(),
            imports: Arc::new(Semaphore::new(IMPORTS)),
            clients: Clients::default(),
            stores: Arc::new(Semaphore::new(STORES)),
        }
    }
}

impl Turns {
    /// Counts for `user`, who has one such work at a time, beside a few of others.
    pub async fn count<T: Send + 'static>(
        &self,
        user: &str,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        Self::in_turn(&self.counting, &self.counts, user, work).await
    }

    /// The same for what looks through a user's tasks to find a page of them.
    pub async fn search<T: Send + 'static>(
        &self,
        user: &str,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        Self::in_turn(&self.searching, &self.searches, user, work).await
    }

    /// It goes on when nobody waits for it any more, as the database would: so it keeps its
    /// turn.
    async fn in_turn<T: Send + 'static>(
        lanes: &Lanes,
        all: &Arc<Semaphore>,
        user: &str,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = lanes.take(user).await?;
        let permit = all.clone().acquire_owned().await.map_err(|_| busy())?;
        let work = tokio::spawn(async move {
            let done = work.await;
            drop((turn, permit));
            done
        });
        work.await.map_err(|_| busy())?
    }

    /// The one import of `user`, one of the few from where they call, and of the few of all;
    /// `None` if there is none left.
    pub fn import(&self, user: &str, from: Option<IpAddr>) -> Option<ImportTurn> {
        let turn = self.importing.try_take(user)?;
        let permit = self.imports.clone().try_acquire_owned().ok()?;
        let client = match from {
            Some(address) => Some(self.clients.take(client_prefix(address))?),
            None => None,
        };
        Some(ImportTurn { turn, permit, client })
    }

    /// A turn to store an import.
    pub async fn store(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.stores.clone().acquire_owned().await.map_err(|_| busy())
    }
}

/// What an import has; given back when dropped.
#[expect(dead_code, reason = "given back when dropped")]
pub struct ImportTurn {
    turn: Turn,
    permit: OwnedSemaphorePermit,
    client: Option<Client>,
}

/// How many imports there are from each address.
#[derive(Clone, Default)]
struct Clients(Arc<std::sync::Mutex<HashMap<IpAddr, usize>>>);

/// One of them.
struct Client {
    all: Clients,
    address: IpAddr,
}

impl Clients {
    fn take(&self, address: IpAddr) -> Option<Client> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = all.entry(address).or_default();
        if *here >= IMPORTS_PER_CLIENT {
            return None;
        }
        *here += 1;
        Some(Client { all: self.clone(), address })
    }
}

impl Drop for Client {
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

/// A queue for each user who has something to wait for.
#[derive(Clone, Default)]
pub struct Lanes(Arc<std::sync::Mutex<HashMap<String, Weak<Mutex<()>>>>>);

impl Lanes {
    /// The turn of `user`, when it comes; an error if it does not in four seconds.
    pub async fn take(&self, user: &str) -> Result<Turn, Error> {
        let guard = tokio::time::timeout(PATIENCE, self.lane(user).lock_owned()).await;
        Ok(self.turn(user, guard.map_err(|_| busy())?))
    }

    /// The turn of `user`, if it is free.
    fn try_take(&self, user: &str) -> Option<Turn> {
        let guard = self.lane(user).try_lock_owned().ok()?;
        Some(self.turn(user, guard))
    }

    fn lane(&self, user: &str) -> Arc<Mutex<()>> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(user).and_then(Weak::upgrade) {
            return lane;
        }
        let lane = Arc::default();
        lanes.insert(user.to_owned(), Arc::downgrade(&lane));
        lane
    }

    fn turn(&self, user: &str, guard: OwnedMutexGuard<()>) -> Turn {
        Turn { lanes: self.clone(), user: user.to_owned(), guard: Some(guard) }
    }
}

/// A turn; over when dropped.
pub struct Turn {
    lanes: Lanes,
    user: String,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.guard = None;
        let mut lanes = self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits holds the lane.
        if lanes.get(&self.user).is_some_and(|lane| lane.strong_count() == 0) {
            lanes.remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_users_work_waits_for_itself_alone_and_leaves_nothing_behind() {
        let lanes = Lanes::default();
        let first = lanes.take("ada").await.expect("free");
        lanes.take("bob").await.expect("his own");
        assert!(lanes.try_take("ada").is_none());
        let waiting = tokio::spawn({
            let lanes = lanes.clone();
            async move { lanes.take("ada").await.map(drop) }
        });
        tokio::task::yield_now().await;
        drop(first);
        waiting.await.expect("no panic").expect("her turn");
        assert!(lanes.0.lock().expect("sound").is_empty());
    }

    #[tokio::test]
    async fn a_count_that_nobody_waits_for_keeps_its_turn_to_the_end() {
        let turns = Turns::default();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let slow = turns.count("ada", async move {
            let _ = ended.await;
            Ok(())
        });
        let given_up = tokio::time::timeout(Duration::from_millis(20), slow).await;
        assert!(given_up.is_err());
        assert!(turns.counting.try_take("ada").is_none());
        assert_eq!(turns.count("bob", async { Ok(7) }).await.expect("counted"), 7);
        end.send(()).expect("it still runs");
        turns.count("ada", async { Ok(()) }).await.expect("her turn");
    }

    #[test]
    fn a_user_imports_once_at_a_time_and_all_together_a_few_times() {
        let turns = Turns::default();
        let mut open: Vec<_> =
            (0..IMPORTS).filter_map(|n| turns.import(&n.to_string(), None)).collect();
        assert_eq!(open.len(), IMPORTS);
        assert!(turns.import("one more", None).is_none());
        drop(open.pop());
        assert!(turns.import("0", None).is_none(), "hers is still open");
        assert!(turns.import("one more", None).is_some());
    }

    /// Eight accounts of one address keep nobody else's import out.
    #[test]
    fn whoever_calls_from_one_address_has_a_share_of_the_imports() {
        let turns = Turns::default();
        let from = |text: &str| Some(text.parse().expect("an address"));
        let one = from("2001:db8::1");
        let mut open: Vec<_> =
            (0..IMPORTS).filter_map(|n| turns.import(&n.to_string(), one)).collect();
        assert_eq!(open.len(), IMPORTS_PER_CLIENT);
        assert!(turns.import("neighbour", from("2001:db8::2")).is_none(), "the same /64");
        assert!(turns.import("victim", from("192.0.2.1")).is_some());
        drop(open.pop());
        assert!(turns.import("neighbour", from("2001:db8::2")).is_some());
        open.clear();
        assert!(turns.clients.0.lock().expect("sound").is_empty());
    }
}
