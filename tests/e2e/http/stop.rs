//! Graceful shutdown over HTTP: requests in progress are finished, and the end is not delayed by
//! connections that are merely open.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use fixtures::{FreshDatabase, on_both_databases};
use http::{Method, StatusCode};

use super::raw_connection::RawConnection;
use crate::{
    caller::{SignedIn, Stranger},
    exchange::HttpRequest,
    process::Server,
    stop::start_with,
};

on_both_databases!(a_request_in_flight_is_answered_and_idle_connections_are_let_go);

/// Between "not ready" and the closing of the ports.
const LAME_DUCK: Duration = Duration::from_secs(1);

/// How long open calls get after that.
const DRAIN: Duration = Duration::from_secs(20);

async fn health(server: &Server) -> StatusCode {
    HttpRequest::new(Method::GET, "/health").send(server.http_address()).await.status
}

async fn a_request_in_flight_is_answered_and_idle_connections_are_let_go(database: FreshDatabase) {
    let mut server = start_with(&database, LAME_DUCK, DRAIN);
    let address = server.http_address();
    let ada = Stranger::new(server.channel(), server.channel()).minted("ada");
    let list = format!(
        "GET /api/ada/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        ada.access_token
    );
    let mut idle = Vec::new();
    for _ in 0..20 {
        let mut line = RawConnection::open(address).await;
        line.send(&list).await;
        assert_eq!(line.receive().await.map(|(status, _)| status), Some(200));
        idle.push(line);
    }
    let silent: Vec<_> =
        (0..20).map(|_| TcpStream::connect(address).expect("a connection")).collect();
    assert_eq!(health(&server).await, StatusCode::OK);

    server.terminate();
    let terminated = Instant::now();
    while health(&server).await != StatusCode::SERVICE_UNAVAILABLE {
        assert!(terminated.elapsed() < LAME_DUCK, "it never says that it stops");
    }
    // Begun while the port is still open, and finished once it is closed.
    let begun = begin(&ada, address).await;
    while TcpStream::connect(address).is_ok() {
        assert!(terminated.elapsed() < LAME_DUCK * 3, "the port stays open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(server.wait(Duration::ZERO).is_none(), "it did not wait for the request");
    let mut begun = begun;
    begun.send(r#"{"title": "begun before the stop"}"#).await;
    assert_eq!(begun.receive().await.map(|(status, _)| status), Some(201));
    assert_eq!(begun.receive().await, None, "the connection ends with its request");

    let status = server.wait(DRAIN).expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", server.log());
    // Idle connections did not delay the end, and no call was cut.
    assert!(terminated.elapsed() < DRAIN / 2, "{:?}", terminated.elapsed());
    assert!(server.log().contains("\"connections.cut\":0"), "{}", server.log());
    for mut line in idle {
        assert_eq!(line.receive().await, None);
    }
    drop(silent);

    let again = start_with(&database, LAME_DUCK, DRAIN);
    let ada = Stranger::new(again.channel(), again.channel()).minted("ada");
    let titles: Vec<_> = ada.all_tasks().await.into_iter().map(|task| task.title).collect();
    assert_eq!(titles, ["begun before the stop"]);
}

/// The head of a creation; its body is yet to come.
async fn begin(ada: &SignedIn, address: std::net::SocketAddr) -> RawConnection {
    let mut line = RawConnection::open(address).await;
    let head = format!(
        "POST /api/ada/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 34\r\nexpect: 100-continue\r\n\r\n",
        ada.access_token
    );
    line.send(head).await;
    // The server waits for the body, so it knows of the request before it closes its port.
    assert_eq!(line.receive().await.map(|(status, _)| status), Some(100));
    line
}
