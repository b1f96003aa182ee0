//! Slow clients: refused with 408, or disconnected.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use fixtures::Backend;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::raw_connection::RawConnection;
use crate::{scenarios::over_http_alone, wire::Wire, world::World};

over_http_alone!(a_body_that_does_not_come_is_answered_408);

/// How long a head may take, on any connection and between two requests.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a body may take, with what a busy machine adds.
const BODY: Duration = Duration::from_secs(5);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(3);

/// Sends `beginning`, then a byte of `rest` every half second, and waits for the end.
async fn dribble(port: SocketAddr, beginning: String, rest: &str) -> (String, Duration) {
    let start = Instant::now();
    let mut slow = RawConnection::open(port).await;
    slow.send(beginning).await;
    for byte in rest.bytes().cycle() {
        if start.elapsed() > HANDSHAKE + SLACK || !slow.send([byte]).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let (heard, _) = slow.rest().await;
    (heard, start.elapsed())
}

/// On every port, and also on a connection that has been of use before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_does_not_end_is_not_waited_for() {
    let world = World::start(Backend::Sqlite, Wire::Http).await.expect("SQLite is always there");
    let ports = [world.auth_http(), world.tasks_http(), world.auth_grpc(), world.tasks_grpc()];
    let request = "GET /health HTTP/1.1\r\nhost: x\r\n";
    let cases: [(String, &str, usize); 4] = [
        (String::new(), "", 0),
        (String::new(), "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0),
        (format!("{request}x-slow: "), "a", 0),
        (format!("{request}\r\n{request}x-slow: "), "a", 1),
    ];
    let calls = ports.into_iter().flat_map(|port| {
        cases.iter().map(move |(beginning, rest, answers)| async move {
            let (heard, took) = dribble(port, beginning.clone(), rest).await;
            let refused = heard.matches("HTTP/1.1 408").count();
            let answered = heard.matches("HTTP/1.1").count() - refused;
            assert_eq!(answered, *answers, "{beginning:?} {rest:?}: {heard}");
            assert!(took < HANDSHAKE + SLACK, "{beginning:?} {rest:?}: {took:?}");
        })
    });
    join_all(calls).await;
    world.stop().await;
}

async fn a_body_that_does_not_come_is_answered_408(world: &World) {
    let alice = world.alice().await;
    let tasks = format!(
        "POST /api/{}/tasks HTTP/1.1\r\nauthorization: Bearer {}",
        alice.id(),
        alice.access_token
    );
    let sign_in = "POST /api/auth/sign-in/email HTTP/1.1".to_owned();
    let addresses = [(world.tasks_http(), tasks), (world.auth_http(), sign_in)];
    let bodies = [
        "content-length: 100\r\n\r\n{\"title\": ",
        "content-length: 100\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n5\r\n{\"ti",
        "transfer-encoding: chunked\r\n\r\n",
    ];
    let calls = addresses.iter().flat_map(|(address, line)| {
        bodies.iter().map(move |body| async move {
            let mut slow = RawConnection::open(*address).await;
            let start = Instant::now();
            let head = "host: x\r\ncontent-type: application/json";
            slow.send(format!("{line}\r\n{head}\r\n{body}")).await;
            let (status, bytes) = slow.receive().await.expect("an answer");
            assert_eq!(status, 408, "{body}");
            assert!(start.elapsed() < BODY, "{:?}", start.elapsed());
            serde_json::from_slice::<Value>(&bytes).expect("a problem in JSON")
        })
    });
    let problems = join_all(calls).await;
    let (tasks, auth) = problems.split_at(bodies.len());
    for problem in tasks {
        assert_eq!(problem["error_code"], "REQUEST_TIMEOUT");
        assert_eq!(problem["status_code"], 408);
    }
    for refusal in auth {
        assert_eq!(refusal["code"], json!("REQUEST_TIMEOUT"));
    }
    assert!(alice.all_tasks().await.is_empty());
}
