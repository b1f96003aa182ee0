//! The connection limit, and evictions.

use server::Limits;
use tokio::net::TcpStream;

use crate::{
    streaming::{Streams, WATCH, open},
    wire::{Connection, connect_from, is_closed, is_served, last_bytes, sends_goaway},
    world::{Server, assert_served, client, limits, until, within},
};

const HERE: [u8; 4] = [127, 0, 0, 1];
const THERE: [u8; 4] = [127, 0, 0, 2];
const ELSEWHERE: [u8; 4] = [127, 0, 0, 3];

/// A connection that has greeted and asks for nothing, or `None` where it is closed unserved.
async fn idle(server: &Server, address: [u8; 4]) -> Option<TcpStream> {
    let mut stream = connect_from(address, server.addr).await.expect("a connection");
    is_served(&mut stream).await.then_some(stream)
}

/// A connection with a call in progress, for as long as it is kept.
async fn in_use(server: &Server, address: [u8; 4]) -> Option<impl Sized> {
    let connection = Connection::open_from(address, server.addr).await.ok()?;
    let mut watch = within(open(&connection, WATCH, "quiet")).await.ok()?;
    within(watch.message()).await.ok()?.map(|_| (connection, watch))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_limit_are_closed_unserved_where_all_are_in_use() {
    let (server, _) = Streams::start(Limits { connections: 3, ..limits() }).await;
    let _first = in_use(&server, HERE).await.expect("the first");
    let second = in_use(&server, THERE).await.expect("the second");
    let _third = in_use(&server, THERE).await.expect("the third");
    for address in [THERE, ELSEWHERE] {
        assert!(idle(&server, address).await.is_none(), "{address:?}");
    }
    // The machine's own health check must still get through.
    let own = in_use(&server, HERE).await.expect("a reserve");
    drop((own, second));
    until(async || in_use(&server, ELSEWHERE).await.is_some()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_cannot_take_every_slot() {
    let (server, _) = Streams::start(Limits { connections_per_address: 2, ..limits() }).await;
    let first = in_use(&server, HERE).await.expect("the first");
    let _second = in_use(&server, HERE).await.expect("the second");
    assert!(idle(&server, HERE).await.is_none(), "the third from one address");
    let _other = in_use(&server, THERE).await.expect("the first from another");
    drop(first);
    until(async || in_use(&server, HERE).await.is_some()).await;
}

/// The client with the most connections loses one, with GOAWAY.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_are_evicted_for_new_clients() {
    let (server, _) = Streams::start(Limits { connections: 16, ..limits() }).await;
    let _in_use = in_use(&server, THERE).await.expect("a watch");
    let mut attackers = Vec::new();
    for _ in 0..15 {
        attackers.push(idle(&server, THERE).await.expect("there is room"));
    }
    let mut honest = Vec::new();
    for evicted in attackers.iter_mut().take(2) {
        let connection = Connection::open_from(ELSEWHERE, server.addr).await;
        let mut client = client(connection.expect("room is made"));
        assert_served(&mut client).await;
        let words = last_bytes(evicted).await;
        assert!(sends_goaway(&words), "{words:?}");
        honest.push(client);
    }
    let brief = std::time::Duration::from_millis(50);
    assert!(!is_closed(&mut attackers[2], brief).await, "no more than needed");
    for client in &mut honest {
        assert_served(client).await;
    }
}

/// Else an office behind one address would lock itself out with what it does not use.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_at_its_limit_goes_on_with_its_own_idle_connections() {
    let (server, _) = Streams::start(Limits { connections_per_address: 2, ..limits() }).await;
    let _in_use = in_use(&server, THERE).await.expect("a watch");
    let mut unused = idle(&server, THERE).await.expect("the second");
    let mut bystander = idle(&server, ELSEWHERE).await.expect("another's");
    // Not at once: who opens them without end must not have them closed at the same pace.
    assert!(idle(&server, THERE).await.is_none());
    until(async || idle(&server, THERE).await.is_some()).await;
    assert!(sends_goaway(&last_bytes(&mut unused).await));
    assert!(!is_closed(&mut bystander, std::time::Duration::from_millis(50)).await);
}
