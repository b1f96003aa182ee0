//! Accepts connections, within limits, until told to drain.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{call::Calls, connection, limits::Limits};

/// How long to wait after a failed accept: at the limit of open files it would fail again
/// at once, and spin.
const BACK_OFF: Duration = Duration::from_millis(100);

/// An accept loop at work.
pub struct Listener {
    drain: watch::Sender<bool>,
    accepting: JoinHandle<JoinSet<()>>,
}

impl Listener {
    pub fn start(socket: TcpListener, calls: Calls, limits: &Limits) -> Self {
        let (drain, draining) = watch::channel(false);
        let accepting = tokio::spawn(accept(socket, calls, limits.clone(), draining));
        Self { drain, accepting }
    }

    /// Closes the port, lets open calls finish until `deadline`, cuts the rest, and tells
    /// how many connections that were.
    pub async fn drain(self, deadline: Duration) -> usize {
        let _ = self.drain.send(true);
        let Ok(mut open) = self.accepting.await else { return 0 };
        let all_closed = async { while open.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(deadline, all_closed).await;
        let cut = open.len();
        open.shutdown().await;
        cut
    }
}

async fn accept(
    socket: TcpListener,
    calls: Calls,
    limits: Limits,
    mut draining: watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut open = JoinSet::new();
    let seats = Seats::new(&limits);
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some(seat) = seats.take(peer) {
                        let served = serve(stream, calls.for_peer(peer), &limits, draining.clone(), seat);
                        open.spawn(served);
                    }
                }
                Err(error) => pause_after(&error).await,
            },
            Some(_) = open.join_next(), if !open.is_empty() => {}
            _ = draining.changed() => return open,
        }
    }
}

fn serve(
    stream: TcpStream,
    calls: Calls,
    limits: &Limits,
    draining: watch::Receiver<bool>,
    seat: Seat,
) -> impl Future<Output = ()> + Send + use<> {
    // Small answers must not wait for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let served = connection::serve(stream, calls, limits, draining);
    async move {
        served.await;
        drop(seat);
    }
}

async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionReset) {
        tracing::warn!(%error, "cannot accept a connection");
        tokio::time::sleep(BACK_OFF).await;
    }
}

/// How many connections there are, in all and by address.
#[derive(Clone)]
struct Seats {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    per_address: usize,
    in_all: usize,
}

/// One connection's place; given back when dropped.
struct Seat {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Seats {
    fn new(limits: &Limits) -> Self {
        Self {
            taken: Arc::default(),
            per_address: limits.connections_per_address,
            in_all: limits.connections,
        }
    }

    /// A place for a connection from `peer`, or `None`: then it is closed unserved.
    fn take(&self, peer: SocketAddr) -> Option<Seat> {
        let address = household(peer.ip());
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let in_all: usize = taken.values().sum();
        let here = taken.get(&address).copied().unwrap_or(0);
        if in_all >= self.in_all || here >= self.per_address {
            tracing::warn!(peer = %address, open = in_all, "too many connections");
            return None;
        }
        taken.insert(address, here + 1);
        Some(Seat { taken: self.taken.clone(), address })
    }
}

/// The address that counts: a whole /64 of IPv6 is one subscriber, and an IPv4 address in
/// IPv6 clothes is itself.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = taken.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
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
        let first = seats.take(peer("127.0.0.1:1"));
        let _second = seats.take(peer("[::ffff:127.0.0.1]:2")).expect("a seat");
        assert!(first.is_some() && seats.take(peer("127.0.0.1:3")).is_none());
        let _third = seats.take(peer("127.0.0.2:1")).expect("a seat");
        assert!(seats.take(peer("127.0.0.3:1")).is_none());
        let limits = Limits { connections_per_address: 1, ..Limits::default() };
        let narrow = Seats::new(&limits);
        let _subscriber = narrow.take(peer("[2001:db8:0:1::1]:1")).expect("a seat");
        assert!(narrow.take(peer("[2001:db8:0:1:ffff::2]:1")).is_none());
        assert!(narrow.take(peer("[2001:db8:0:2::1]:1")).is_some());
        drop(first);
        assert!(seats.take(peer("127.0.0.1:4")).is_some());
    }
}
