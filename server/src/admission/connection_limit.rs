//! Who is connected: how many in all, and how many from one address. Where there is no room,
//! an idle connection makes some.

use std::{
    cmp::Reverse,
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::connection_state::ConnectionState;
use crate::{
    admission::{
        limits::Limits,
        refusal_log::{Limit, RefusalLog},
    },
    client_info::client_prefix,
    proxies::Proxies,
};

/// So long a connection must have been idle to make room for one of a client that holds about
/// as much: else whoever opens them without end would have them closed at the same pace.
const SETTLED: Duration = Duration::from_secs(1);

/// The connections there are, on all ports together.
#[derive(Clone)]
pub struct ConnectionLimit(Arc<Inner>);

struct Inner {
    table: Mutex<Table>,
    proxies: Proxies,
    log: RefusalLog,
    in_all: usize,
    per_address: usize,
}

#[derive(Default)]
struct Table {
    next: u64,
    /// Those that have a slot.
    seated: HashMap<u64, Entry>,
    /// How many of them there are of each client; a proxy's are nobody's.
    of_clients: HashMap<IpAddr, usize>,
    /// How many were asked to make room and are not gone.
    leaving: usize,
}

struct Entry {
    client: Option<IpAddr>,
    connection: Arc<ConnectionState>,
}

/// One connection's permit; given back when dropped.
pub struct ConnectionSlot {
    inner: Arc<Inner>,
    number: u64,
    /// Whether it is a listed proxy's, with calls of several clients.
    pub is_proxy: bool,
    /// What it is doing, and whether it must make room.
    pub connection: Arc<ConnectionState>,
}

impl ConnectionLimit {
    pub fn new(limits: &Limits, proxies: Proxies, log: RefusalLog) -> Self {
        let table = Mutex::default();
        let (in_all, per_address) = (limits.connections, limits.connections_per_address);
        Self(Arc::new(Inner { table, proxies, log, in_all, per_address }))
    }

    /// A permit for a connection from `peer`, or `None`: then it is closed unserved. Where
    /// there is none, one without a call in progress makes room: of the same client, if that
    /// has all that one may have; else of whoever holds most, but never of one who holds
    /// less. The machine itself has a reserve, so that a full server still passes its own
    /// health check.
    pub fn take(&self, peer: SocketAddr) -> Option<ConnectionSlot> {
        let address = client_prefix(peer.ip());
        let is_proxy = self.0.proxies.include(peer.ip());
        let client = (!is_proxy).then_some(address);
        let is_own =
            [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()].contains(&peer.ip());
        let reserve = if is_own { self.0.per_address } else { 0 };
        let mut table = self.0.table();
        let held = table.held(client);
        let refused = |limit| {
            self.0.log.record(limit, Some(address));
            None
        };
        let must_yield = |holds, since: Instant| holds > held * 2 || since.elapsed() >= SETTLED;
        if held >= self.0.per_address
            && !self.evict(&mut table, |entry, holds, since| {
                entry.client == client && must_yield(holds, since)
            })
        {
            return refused(Limit::ConnectionsPerAddress);
        }
        if table.seated.len() >= self.0.in_all
            && !self.evict(&mut table, |entry, holds, since| {
                (holds > held || entry.client == client) && must_yield(holds, since)
            })
            && table.seated.len() >= self.0.in_all + reserve
        {
            return refused(Limit::Connections);
        }
        let (number, connection) = (table.next, ConnectionState::new());
        table.next += 1;
        table.seated.insert(number, Entry { client, connection: connection.clone() });
        if let Some(client) = client {
            *table.of_clients.entry(client).or_default() += 1;
        }
        drop(table);
        Some(ConnectionSlot { inner: self.0.clone(), number, is_proxy, connection })
    }

    /// Has an idle connection make room, whosever it is.
    pub fn make_room(&self) {
        self.evict(&mut self.0.table(), |_, _, _| true);
    }

    /// Tells of refusals. Never ends.
    pub async fn report(self) {
        self.0.log.clone().report().await;
    }

    /// Takes the slot of an idle connection among those that `may` lose it: whoever holds
    /// most loses one on which there was never a call, else the one that is idle longest.
    fn evict(&self, table: &mut Table, may: impl Fn(&Entry, usize, Instant) -> bool) -> bool {
        let idle = table.seated.iter().filter_map(|(number, entry)| {
            let since = entry.connection.idle_since()?;
            // Those of proxies are counted as if each had a client of its own.
            let holds = entry.client.map_or(1, |client| table.held(Some(client)));
            let rank = (holds, Reverse(entry.connection.has_called()), Reverse(since));
            may(entry, holds, since).then_some((rank, *number))
        });
        let Some((_, number)) = idle.max() else { return false };
        let Some(Entry { client, connection }) = table.remove(number) else { return false };
        // A good-bye takes a moment, in which the connection is still there.
        connection.evict(table.leaving >= self.0.in_all.div_ceil(8));
        table.leaving += 1;
        self.0.log.record(Limit::Evictions, client);
        true
    }
}

impl Inner {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// How many connection_limit a client has.
    fn held(&self, client: Option<IpAddr>) -> usize {
        client.and_then(|client| self.of_clients.get(&client)).copied().unwrap_or_default()
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.seated.remove(&number)?;
        if let Some(client) = entry.client
            && let Some(held) = self.of_clients.get_mut(&client)
        {
            *held -= 1;
            if *held == 0 {
                self.of_clients.remove(&client);
            }
        }
        Some(entry)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut table = self.inner.table();
        if table.remove(self.number).is_none() {
            table.leaving -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection_limit(in_all: usize, per_address: usize, proxies: &str) -> ConnectionLimit {
        let limits = Limits {
            connections: in_all,
            connections_per_address: per_address,
            ..Limits::default()
        };
        let proxies = Proxies::parse(proxies).expect("proxies");
        ConnectionLimit::new(&limits, proxies, RefusalLog::default())
    }

    fn take(connection_limit: &ConnectionLimit, peer: &str) -> Option<ConnectionSlot> {
        connection_limit.take(SocketAddr::new(peer.parse().expect("an address"), 1))
    }

    /// One with a call in progress, as long as both live.
    fn busy(
        connection_limit: &ConnectionLimit,
        peer: &str,
    ) -> (ConnectionSlot, super::super::connection_state::CallInProgress) {
        let slot = take(connection_limit, peer).expect("a slot");
        let call = slot.connection.begin_call();
        (slot, call)
    }

    /// Whether it was asked to make room, and is to do so at once.
    fn evicted(slot: &ConnectionSlot) -> Option<bool> {
        futures_util::FutureExt::now_or_never(slot.connection.evicted())
    }

    #[tokio::test]
    async fn seats_in_use_are_counted_by_client_and_in_all_and_given_back() {
        let connection_limit = connection_limit(3, 2, "none");
        let first = busy(&connection_limit, "192.0.2.1");
        let _second = busy(&connection_limit, "::ffff:192.0.2.1");
        assert!(take(&connection_limit, "192.0.2.1").is_none());
        let _third = busy(&connection_limit, "192.0.2.2");
        assert!(take(&connection_limit, "192.0.2.3").is_none());
        let own = [busy(&connection_limit, "127.0.0.1"), busy(&connection_limit, "127.0.0.1")];
        assert!(take(&connection_limit, "127.0.0.1").is_none(), "the reserve has an end");
        drop((first, own));
        assert!(take(&connection_limit, "192.0.2.1").is_some());
    }

    #[tokio::test]
    async fn a_subscriber_of_ipv6_is_one_client() {
        let connection_limit = connection_limit(9, 1, "none");
        let _subscriber = busy(&connection_limit, "2001:db8:0:1::1");
        assert!(take(&connection_limit, "2001:db8:0:1:ffff::2").is_none());
        assert!(take(&connection_limit, "2001:db8:0:2::1").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_most_makes_room_with_what_is_of_least_use() {
        let connection_limit = connection_limit(4, 4, "none");
        let step = || tokio::time::advance(std::time::Duration::from_secs(1));
        let (in_use, _call) = busy(&connection_limit, "192.0.2.1");
        let used = take(&connection_limit, "192.0.2.1").expect("a slot");
        used.connection.touch();
        step().await;
        let unused = take(&connection_limit, "192.0.2.1").expect("a slot");
        step().await;
        let other = take(&connection_limit, "192.0.2.2").expect("a slot");
        let _newcomer = take(&connection_limit, "192.0.2.3").expect("room is made");
        assert_eq!(evicted(&unused), Some(false));
        let _newcomer = take(&connection_limit, "192.0.2.4").expect("room is made");
        assert_eq!(evicted(&used), Some(true), "too many good-byes at once");
        assert!(evicted(&in_use).is_none() && evicted(&other).is_none());
        step().await;
        // Now everybody holds one; who comes with a second makes room itself.
        let _newcomer = take(&connection_limit, "192.0.2.2").expect("room is made");
        assert!(evicted(&other).is_some());
        assert!(take(&connection_limit, "192.0.2.1").is_none(), "its only one is in use");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_at_its_own_limit_makes_room_itself() {
        let connection_limit = connection_limit(9, 2, "none");
        let _in_use = busy(&connection_limit, "192.0.2.1");
        let idle = take(&connection_limit, "192.0.2.1").expect("a slot");
        let other = take(&connection_limit, "192.0.2.2").expect("a slot");
        assert!(take(&connection_limit, "192.0.2.1").is_none(), "just opened");
        tokio::time::advance(SETTLED).await;
        let _third = take(&connection_limit, "192.0.2.1").expect("room is made");
        assert!(evicted(&idle).is_some() && evicted(&other).is_none());
    }

    #[tokio::test]
    async fn a_proxy_is_no_client() {
        let connection_limit = connection_limit(4, 1, "192.0.2.1");
        let proxied: Vec<_> = (0..3).map(|_| busy(&connection_limit, "192.0.2.1")).collect();
        let _direct = busy(&connection_limit, "192.0.2.2");
        assert!(take(&connection_limit, "192.0.2.1").is_none(), "only so many in all");
        drop(proxied);
        assert!(take(&connection_limit, "192.0.2.1").is_some());
    }
}
