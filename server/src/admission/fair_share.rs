//! The fair share of one client: its part of the permits, however many connections it uses.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::Limits;

/// The number of calls that may wait for their bodies, for each call that may run.
pub const WAITING_PER_PERMIT: usize = 4;

/// A pool of permits for each kind of call.
pub struct PermitPools {
    pub running: Arc<Semaphore>,
    /// Calls that wait to run.
    pub queued: Arc<Semaphore>,
    /// Calls that wait for their bodies.
    pub waiting: Arc<Semaphore>,
    pub streams: Arc<Semaphore>,
    pub public_streams: Arc<Semaphore>,
}

impl PermitPools {
    /// The pools that all clients share.
    pub fn total(limits: &Limits) -> Self {
        Self::new(limits.calls, limits.streams, limits.public_streams)
    }

    fn new(calls: usize, streams: usize, public_streams: usize) -> Self {
        let pool = |permits| Arc::new(Semaphore::new(permits));
        Self {
            running: pool(calls),
            queued: pool(calls),
            waiting: pool(calls * WAITING_PER_PERMIT),
            streams: pool(streams),
            public_streams: pool(public_streams),
        }
    }
}

/// The share of one client. Clones keep it alive: while a permit of it is held, the client gets
/// no second share.
#[derive(Clone)]
pub struct ClientShare(Arc<Inner>);

struct Inner {
    pools: PermitPools,
    /// The connections of proxies on which calls of this client may run.
    connections: Arc<Semaphore>,
    known: Option<(IpAddr, Known)>,
}

type Known = Arc<Mutex<HashMap<IpAddr, Weak<Inner>>>>;

impl ClientShare {
    /// The share of an anonymous client.
    pub fn new(limits: &Limits) -> Self {
        Self::known(limits, None)
    }

    fn known(limits: &Limits, known: Option<(IpAddr, Known)>) -> Self {
        let Limits { calls_per_address: calls, streams_per_address: streams, .. } = *limits;
        let pools = PermitPools::new(calls, streams, limits.public_streams_per_address);
        let connections = Arc::new(Semaphore::new(limits.connections_per_address));
        Self(Arc::new(Inner { pools, connections, known }))
    }

    /// The permits of this client.
    pub fn pools(&self) -> &PermitPools {
        &self.0.pools
    }

    /// The client.
    pub fn client(&self) -> Option<IpAddr> {
        self.0.known.as_ref().map(|(client, _)| *client)
    }

    /// A permit for a proxy's connection with calls of this client; `None`: there are as many as
    /// the client could open itself.
    pub fn acquire_connection(&self) -> Option<OwnedSemaphorePermit> {
        self.0.connections.clone().try_acquire_owned().ok()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Some((client, known)) = &self.known else { return };
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        // Another share may have been registered meanwhile.
        if known.get(client).is_some_and(|share| share.strong_count() == 0) {
            known.remove(client);
        }
    }
}

/// The shares of all current clients.
#[derive(Clone)]
pub struct FairShare {
    known: Known,
    limits: Limits,
}

impl FairShare {
    /// The shares that `limits` give each client.
    pub fn new(limits: &Limits) -> Self {
        Self { known: Known::default(), limits: limits.clone() }
    }

    /// The share of `client`.
    pub fn of(&self, client: IpAddr) -> ClientShare {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = known.get(&client).and_then(Weak::upgrade) {
            return ClientShare(share);
        }
        let share = ClientShare::known(&self.limits, Some((client, self.known.clone())));
        known.insert(client, Arc::downgrade(&share.0));
        share
    }

    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_one_share_as_long_as_it_is_in_use() {
        let fair_share =
            FairShare::new(&Limits { connections_per_address: 1, ..Limits::default() });
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let share = fair_share.of(here);
        let permit = share.acquire_connection().expect("the first");
        assert!(fair_share.of(here).acquire_connection().is_none());
        assert!(fair_share.of(there).acquire_connection().is_some());
        assert_eq!(fair_share.count(), 1, "what nobody needs is forgotten");
        drop((permit, share));
        assert_eq!(fair_share.count(), 0);
    }
}
