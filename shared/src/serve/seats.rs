//! Who is connected: how many in all, and how many from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use super::{household::household, limits::Limits, places::Share};

/// The connections there are, by address, on all ports together.
#[derive(Clone)]
pub struct Seats {
    taken: Arc<Mutex<HashMap<IpAddr, Row>>>,
    limits: Limits,
}

/// What one address has.
struct Row {
    connections: usize,
    share: Share,
}

/// One connection's place; given back when dropped.
pub struct Seat {
    taken: Arc<Mutex<HashMap<IpAddr, Row>>>,
    address: IpAddr,
    /// What all connections of this address may take together.
    pub share: Share,
}

impl Seats {
    pub fn new(limits: &Limits) -> Self {
        Self { taken: Arc::default(), limits: limits.clone() }
    }

    /// A place for a connection from `peer`, or `None`: then it is closed unserved. The
    /// machine itself always finds room, so that a full server still passes its own health
    /// check.
    pub fn take(&self, peer: SocketAddr) -> Option<Seat> {
        let address = household(peer.ip());
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let in_all: usize = taken.values().map(|row| row.connections).sum();
        let here = taken.get(&address).map_or(0, |row| row.connections);
        let is_own =
            [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()].contains(&peer.ip());
        if (in_all >= self.limits.connections && !is_own)
            || here >= self.limits.connections_per_address
        {
            tracing::warn!(peer = %address, open = in_all, "too many connections");
            return None;
        }
        let row = taken
            .entry(address)
            .or_insert_with(|| Row { connections: 0, share: Share::new(&self.limits) });
        row.connections += 1;
        Some(Seat { taken: self.taken.clone(), address, share: row.share.clone() })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = taken.get_mut(&self.address) {
            row.connections -= 1;
            if row.connections == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_counted_by_address_and_in_all_and_given_back() {
        let limits = Limits { connections: 3, connections_per_address: 2, ..Limits::default() };
        let seats = Seats::new(&limits);
        let peer = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let first = seats.take(peer("192.0.2.1:1"));
        let _second = seats.take(peer("[::ffff:192.0.2.1]:2")).expect("a seat");
        assert!(first.is_some() && seats.take(peer("192.0.2.1:3")).is_none());
        let _third = seats.take(peer("192.0.2.2:1")).expect("a seat");
        assert!(seats.take(peer("192.0.2.3:1")).is_none());
        let limits = Limits { connections_per_address: 1, ..Limits::default() };
        let narrow = Seats::new(&limits);
        let _subscriber = narrow.take(peer("[2001:db8:0:1::1]:1")).expect("a seat");
        assert!(narrow.take(peer("[2001:db8:0:1:ffff::2]:1")).is_none());
        assert!(narrow.take(peer("[2001:db8:0:2::1]:1")).is_some());
        assert!(seats.take(peer("127.0.0.1:1")).is_some(), "a health check of its own");
        drop(first);
        assert!(seats.take(peer("192.0.2.1:4")).is_some());
    }
}
