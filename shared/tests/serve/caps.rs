//! How many connections there may be.

use std::net::{IpAddr, SocketAddr};

use shared::serve::Limits;
use tokio::net::{TcpSocket, TcpStream};

use crate::{
    wire::is_served,
    world::{Server, assert_served, limits, until},
};

/// A connection from `address`, or `None` where it is closed unserved.
async fn connect(server: &Server, address: [u8; 4]) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::new(IpAddr::from(address), 0)).expect("an address of this host");
    let mut stream = socket.connect(server.addr).await.expect("a connection");
    is_served(&mut stream).await.then_some(stream)
}

const HERE: [u8; 4] = [127, 0, 0, 1];
const THERE: [u8; 4] = [127, 0, 0, 2];

#[tokio::test]
async fn connections_beyond_the_cap_are_closed_unserved() {
    let server = Server::start(Limits { connections: 3, ..limits() }).await;
    let mut client = server.client().await;
    assert_served(&mut client).await;
    let second = connect(&server, THERE).await.expect("the second");
    let _third = connect(&server, THERE).await.expect("the third");
    for address in [THERE, [127, 0, 0, 3]] {
        assert!(connect(&server, address).await.is_none(), "{address:?}");
    }
    // The machine's own health check must still get through.
    assert!(connect(&server, HERE).await.is_some());
    assert_served(&mut client).await;
    drop(second);
    until(async || connect(&server, THERE).await.is_some()).await;
}

#[tokio::test]
async fn one_address_cannot_take_every_place() {
    let server = Server::start(Limits { connections_per_address: 2, ..limits() }).await;
    let first = connect(&server, HERE).await.expect("the first");
    let _second = connect(&server, HERE).await.expect("the second");
    assert!(connect(&server, HERE).await.is_none(), "the third from one address");
    let _other = connect(&server, THERE).await.expect("the first from another");
    drop(first);
    until(async || connect(&server, HERE).await.is_some()).await;
}
