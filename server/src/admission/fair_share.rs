//! What one client may take of the permits, however many connections it comes on.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::Limits;

/// So many more calls may wait for their bodies than may be at work.
pub const WAITING_PER_PERMIT: usize = 4;

/// How much there is of each kind of permit.
pub struct Rooms {
    pub at_work: Arc<Semaphore>,
    pub waiting: Arc<Semaphore>,
    pub lasting: Arc<Semaphore>,
    pub public: Arc<Semaphore>,
}

impl Rooms {
    /// As much as `limits` give to all.
    pub fn of_all(limits: &Limits) -> Self {
        Self::new(limits.calls, limits.streams, limits.public_streams)
    }

    fn new(calls: usize, streams: usize, public: usize) -> Self {
        let room = |permits| Arc::new(Semaphore::new(permits));
        Self {
            at_work: room(calls),
            waiting: room(calls * WAITING_PER_PERMIT),
            lasting: room(streams),
            public: room(public),
        }
    }
}

/// What one client may take. Who has a copy keeps it from being forgotten: as long as
/// something of it is taken, the client does not get it anew.
#[derive(Clone)]
pub struct Share(Arc<Inner>);

struct Inner {
    rooms: Rooms,
    /// Of those that a proxy has opened: on how many there may be calls of this client.
    connections: Arc<Semaphore>,
    known: Option<(IpAddr, Known)>,
}

type Known = Arc<Mutex<HashMap<IpAddr, Weak<Inner>>>>;

impl Share {
    /// As much as `limits` give to one client, whoever that is.
    pub fn new(limits: &Limits) -> Self {
        Self::known(limits, None)
    }

    fn known(limits: &Limits, known: Option<(IpAddr, Known)>) -> Self {
        let Limits { calls_per_address: calls, streams_per_address: streams, .. } = *limits;
        let rooms = Rooms::new(calls, streams, limits.public_streams_per_address);
        let connections = Arc::new(Semaphore::new(limits.connections_per_address));
        Self(Arc::new(Inner { rooms, connections, known }))
    }

    /// What there is of each kind of permit.
    pub fn rooms(&self) -> &Rooms {
        &self.0.rooms
    }

    /// Whose it is.
    pub fn client(&self) -> Option<IpAddr> {
        self.0.known.as_ref().map(|(client, _)| *client)
    }

    /// A connection of a proxy on which there is a call of this client; `None`: there are as
    /// many as the client could have opened itself.
    pub fn take_connection(&self) -> Option<OwnedSemaphorePermit> {
        self.0.connections.clone().try_acquire_owned().ok()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Some((client, known)) = &self.known else { return };
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        // It may be known anew already.
        if known.get(client).is_some_and(|share| share.strong_count() == 0) {
            known.remove(client);
        }
    }
}

/// The fair_share of all clients there are just now.
#[derive(Clone)]
pub struct FairShare {
    known: Known,
    limits: Limits,
}

impl FairShare {
    /// As much as `limits` give to each.
    pub fn new(limits: &Limits) -> Self {
        Self { known: Known::default(), limits: limits.clone() }
    }

    /// That of `client`.
    pub fn of(&self, client: IpAddr) -> Share {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = known.get(&client).and_then(Weak::upgrade) {
            return Share(share);
        }
        let share = Share::known(&self.limits, Some((client, self.known.clone())));
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
    fn a_client_has_one_share_as_long_as_anybody_needs_it() {
        let fair_share =
            FairShare::new(&Limits { connections_per_address: 1, ..Limits::default() });
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let share = fair_share.of(here);
        let permit = share.take_connection().expect("the first");
        assert!(fair_share.of(here).take_connection().is_none());
        assert!(fair_share.of(there).take_connection().is_some());
        assert_eq!(fair_share.count(), 1, "what nobody needs is forgotten");
        drop((permit, share));
        assert_eq!(fair_share.count(), 0);
    }
}
