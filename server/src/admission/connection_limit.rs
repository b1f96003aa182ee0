//! The connection limit: open connections in total and from one address. When it is reached, an
//! idle connection is evicted.

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

/// The idle time before a connection may be evicted for a client that holds about as many: else a
/// client that opens connections without end would evict others at that pace.
const MIN_IDLE: Duration = Duration::from_secs(1);

/// The open connections of all ports.
#[derive(Clone)]
pub struct ConnectionLimit(Arc<Inner>);

struct Inner {
    table: Mutex<Table>,
    proxies: Proxies,
    log: RefusalLog,
    total: usize,
    per_address: usize,
}

#[derive(Default)]
struct Table {
    next: u64,
    /// The connections with a slot.
    connections: HashMap<u64, Entry>,
    /// The number of connections by client; those of proxies are not counted.
    by_client: HashMap<IpAddr, usize>,
    /// The evicted connections that are not closed yet.
    closing: usize,
}

struct Entry {
    client: Option<IpAddr>,
    connection: Arc<ConnectionState>,
}

/// The slot of a connection; released when dropped.
pub struct ConnectionSlot {
    inner: Arc<Inner>,
    number: u64,
    /// Whether the peer is a listed proxy, with calls of several clients.
    pub is_proxy: bool,
    /// The state of the connection.
    pub connection: Arc<ConnectionState>,
}

impl ConnectionLimit {
    pub fn new(limits: &Limits, proxies: Proxies, log: RefusalLog) -> Self {
        let table = Mutex::default();
        let (total, per_address) = (limits.connections, limits.connections_per_address);
        Self(Arc::new(Inner { table, proxies, log, total, per_address }))
    }

    /// A slot for a connection from `peer`; `None`: the connection is closed unserved. At the
    /// limit, a connection without a call in progress is evicted: of the same client, if the client
    /// is at its own limit; else of the client with the most, but never of one with fewer. The
    /// machine itself has a reserve, so that a full server still passes its own health check.
    pub fn acquire(&self, peer: SocketAddr) -> Option<ConnectionSlot> {
        let address = client_prefix(peer.ip());
        let is_proxy = self.0.proxies.contains(peer.ip());
        let client = (!is_proxy).then_some(address);
        let is_local =
            [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()].contains(&peer.ip());
        let reserve = if is_local { self.0.per_address } else { 0 };
        let mut table = self.0.table();
        let count = table.count(client);
        let refused = |limit| {
            self.0.log.record(limit, Some(address));
            None
        };
        let is_evictable = |holds, since: Instant| holds > count * 2 || since.elapsed() >= MIN_IDLE;
        if count >= self.0.per_address
            && !self.evict(&mut table, |entry, holds, since| {
                entry.client == client && is_evictable(holds, since)
            })
        {
            return refused(Limit::ConnectionsPerAddress);
        }
        if table.connections.len() >= self.0.total
            && !self.evict(&mut table, |entry, holds, since| {
                (holds > count || entry.client == client) && is_evictable(holds, since)
            })
            && table.connections.len() >= self.0.total + reserve
        {
            return refused(Limit::Connections);
        }
        let (number, connection) = (table.next, ConnectionState::new());
        table.next += 1;
        table.connections.insert(number, Entry { client, connection: connection.clone() });
        if let Some(client) = client {
            *table.by_client.entry(client).or_default() += 1;
        }
        drop(table);
        Some(ConnectionSlot { inner: self.0.clone(), number, is_proxy, connection })
    }

    /// Evicts an idle connection of any client.
    pub fn evict_idle(&self) {
        self.evict(&mut self.0.table(), |_, _, _| true);
    }

    /// Logs refusals. Never ends.
    pub async fn report(self) {
        self.0.log.clone().report().await;
    }

    /// Evicts an idle connection among those that `may`: the client with the most loses one that
    /// never had a call, else the one that is idle longest.
    fn evict(&self, table: &mut Table, may: impl Fn(&Entry, usize, Instant) -> bool) -> bool {
        let idle = table.connections.iter().filter_map(|(number, entry)| {
            let since = entry.connection.idle_since()?;
            // Each connection of a proxy counts as a client.
            let holds = entry.client.map_or(1, |client| table.count(Some(client)));
            let rank = (holds, Reverse(entry.connection.has_called()), Reverse(since));
            may(entry, holds, since).then_some((rank, *number))
        });
        let Some((_, number)) = idle.max() else { return false };
        let Some(Entry { client, connection }) = table.remove(number) else { return false };
        // Draining takes a moment, in which the connection is still open.
        connection.evict(table.closing >= self.0.total.div_ceil(8));
        table.closing += 1;
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
    /// The number of connections of a client.
    fn count(&self, client: Option<IpAddr>) -> usize {
        client.and_then(|client| self.by_client.get(&client)).copied().unwrap_or_default()
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.connections.remove(&number)?;
        if let Some(client) = entry.client
            && let Some(count) = self.by_client.get_mut(&client)
        {
            *count -= 1;
            if *count == 0 {
                self.by_client.remove(&client);
            }
        }
        Some(entry)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut table = self.inner.table();
        if table.remove(self.number).is_none() {
            table.closing -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection_limit(total: usize, per_address: usize, proxies: &str) -> ConnectionLimit {
        let limits = Limits {
            connections: total,
            connections_per_address: per_address,
            ..Limits::default()
        };
        let proxies = Proxies::parse(proxies).expect("proxies");
        ConnectionLimit::new(&limits, proxies, RefusalLog::default())
    }

    fn acquire(connection_limit: &ConnectionLimit, peer: &str) -> Option<ConnectionSlot> {
        connection_limit.acquire(SocketAddr::new(peer.parse().expect("an address"), 1))
    }

    /// One with a call in progress, as long as both live.
    fn busy(
        connection_limit: &ConnectionLimit,
        peer: &str,
    ) -> (ConnectionSlot, super::super::connection_state::CallInProgress) {
        let slot = acquire(connection_limit, peer).expect("a slot");
        let call = slot.connection.begin_call();
        (slot, call)
    }

    /// The eviction of the connection, if any: whether immediately.
    fn evicted(slot: &ConnectionSlot) -> Option<bool> {
        futures_util::FutureExt::now_or_never(slot.connection.evicted())
    }

    #[tokio::test]
    async fn slots_in_use_are_counted_by_client_and_in_total_and_released() {
        let connection_limit = connection_limit(3, 2, "none");
        let first = busy(&connection_limit, "192.0.2.1");
        let _second = busy(&connection_limit, "::ffff:192.0.2.1");
        assert!(acquire(&connection_limit, "192.0.2.1").is_none());
        let _third = busy(&connection_limit, "192.0.2.2");
        assert!(acquire(&connection_limit, "192.0.2.3").is_none());
        let own = [busy(&connection_limit, "127.0.0.1"), busy(&connection_limit, "127.0.0.1")];
        assert!(acquire(&connection_limit, "127.0.0.1").is_none(), "the reserve has an end");
        drop((first, own));
        assert!(acquire(&connection_limit, "192.0.2.1").is_some());
    }

    #[tokio::test]
    async fn a_subscriber_of_ipv6_is_one_client() {
        let connection_limit = connection_limit(9, 1, "none");
        let _subscriber = busy(&connection_limit, "2001:db8:0:1::1");
        assert!(acquire(&connection_limit, "2001:db8:0:1:ffff::2").is_none());
        assert!(acquire(&connection_limit, "2001:db8:0:2::1").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_client_with_the_most_connections_loses_the_least_useful_one() {
        let connection_limit = connection_limit(4, 4, "none");
        let step = || tokio::time::advance(std::time::Duration::from_secs(1));
        let (in_use, _call) = busy(&connection_limit, "192.0.2.1");
        let used = acquire(&connection_limit, "192.0.2.1").expect("a slot");
        used.connection.touch();
        step().await;
        let unused = acquire(&connection_limit, "192.0.2.1").expect("a slot");
        step().await;
        let other = acquire(&connection_limit, "192.0.2.2").expect("a slot");
        let _new = acquire(&connection_limit, "192.0.2.3").expect("room is made");
        assert_eq!(evicted(&unused), Some(false));
        let _new = acquire(&connection_limit, "192.0.2.4").expect("room is made");
        assert_eq!(evicted(&used), Some(true), "too many good-byes at once");
        assert!(evicted(&in_use).is_none() && evicted(&other).is_none());
        step().await;
        // Each client has one now; a second one evicts a connection of its own client.
        let _new = acquire(&connection_limit, "192.0.2.2").expect("room is made");
        assert!(evicted(&other).is_some());
        assert!(acquire(&connection_limit, "192.0.2.1").is_none(), "its only one is in use");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_at_its_own_limit_loses_its_own_idle_connection() {
        let connection_limit = connection_limit(9, 2, "none");
        let _in_use = busy(&connection_limit, "192.0.2.1");
        let idle = acquire(&connection_limit, "192.0.2.1").expect("a slot");
        let other = acquire(&connection_limit, "192.0.2.2").expect("a slot");
        assert!(acquire(&connection_limit, "192.0.2.1").is_none(), "just opened");
        tokio::time::advance(MIN_IDLE).await;
        let _third = acquire(&connection_limit, "192.0.2.1").expect("room is made");
        assert!(evicted(&idle).is_some() && evicted(&other).is_none());
    }

    #[tokio::test]
    async fn a_proxy_is_no_client() {
        let connection_limit = connection_limit(4, 1, "192.0.2.1");
        let proxied: Vec<_> = (0..3).map(|_| busy(&connection_limit, "192.0.2.1")).collect();
        let _direct = busy(&connection_limit, "192.0.2.2");
        assert!(acquire(&connection_limit, "192.0.2.1").is_none(), "only so many in all");
        drop(proxied);
        assert!(acquire(&connection_limit, "192.0.2.1").is_some());
    }
}
