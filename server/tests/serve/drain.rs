//! A stop: health first, then the port, then the calls, then the end.

use std::time::{Duration, Instant};

use server::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    wire::{Connection, origin},
    world::{Server, assert_served, limits, spawn_call, until, within},
};

/// The health status of `service`; `None` if it is unknown.
async fn health(connection: &Connection, service: &str) -> Option<ServingStatus> {
    let request = HealthCheckRequest { service: service.to_owned() };
    let mut client = HealthClient::with_origin(connection.clone(), origin());
    let response = within(client.check(request)).await.ok()?;
    Some(response.into_inner().status())
}

async fn port_is_open(server: &Server) -> bool {
    TcpStream::connect(server.addr).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_loses_no_call_and_warns_before_it_closes_the_port() {
    const NAMES: [&str; 2] = ["", "auth.v1.AuthService"];
    let (lame_duck, drain) = (Duration::from_millis(1500), Duration::from_secs(8));
    let mut server = Server::start(Limits { lame_duck, drain, ..limits() }).await;
    let (client, probe) = (server.client().await, server.connect().await);
    for name in NAMES {
        until(async || health(&probe, name).await == Some(ServingStatus::Serving)).await;
    }
    let held = spawn_call(&client, "hold");
    server.wait_inside(1).await;

    let start = Instant::now();
    server.stop();
    for name in NAMES {
        until(async || health(&probe, name).await == Some(ServingStatus::NotServing)).await;
    }
    // A client that has not noticed yet is still served, on old connections and on new ones.
    assert_served(&mut client.clone()).await;
    assert_served(&mut server.client().await).await;
    until(async || !port_is_open(&server).await).await;
    assert!(start.elapsed() >= lame_duck, "closed after {:?}", start.elapsed());
    assert!(!held.is_finished(), "the call outlived the port");

    server.release();
    let response = within(held).await.expect("a task").expect("not lost");
    assert_eq!(response.into_inner().session_token, "token");
    let released = Instant::now();
    server.ended().await;
    assert!(released.elapsed() < Duration::from_secs(2), "nothing was left to wait for");
}

/// HTTP/1.1 has no GOAWAY: a proxy that is not told would send its next request just when its kept
/// connection closes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_of_http_1_is_closed_by_its_next_response_before_the_port_is() {
    let lame_duck = Duration::from_secs(2);
    let mut server = Server::start(Limits { lame_duck, ..limits() }).await;
    let probe = server.connect().await;
    until(async || health(&probe, "").await == Some(ServingStatus::Serving)).await;
    let mut kept = TcpStream::connect(server.http_addr).await.expect("a connection");
    let is_kept = async |stream: &mut TcpStream| {
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("sent");
        let mut response = Vec::new();
        until(async || {
            stream.read_buf(&mut response).await.expect("an answer");
            response.ends_with(b"}")
        })
        .await;
        !String::from_utf8_lossy(&response).contains("connection: close\r\n")
    };
    assert!(is_kept(&mut kept).await);
    server.stop();
    until(async || health(&probe, "").await == Some(ServingStatus::NotServing)).await;
    assert!(!is_kept(&mut kept).await, "the client is not told");
    assert_eq!(within(kept.read(&mut [0])).await.expect("an end"), 0);
    assert!(port_is_open(&server).await, "still the lame-duck time");
}

/// Its age is no reason to cut a connection that was asked to leave just now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_grows_old_while_draining_keeps_its_call() {
    let (connection_age, drain) = (Duration::from_millis(600), Duration::from_secs(8));
    let mut server = Server::start(Limits { connection_age, drain, ..limits() }).await;
    let held = spawn_call(&server.client().await, "hold");
    server.wait_inside(1).await;
    server.stop();
    tokio::time::sleep(connection_age * 2).await;
    assert!(!held.is_finished(), "still held");
    server.release();
    within(held).await.expect("a task").expect("not lost");
    server.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_outlasts_the_drain_is_cut() {
    let mut server = Server::start(limits()).await;
    let client = server.client().await;
    let endless = spawn_call(&client, "never");
    server.wait_inside(1).await;
    let start = Instant::now();
    server.stop();
    server.ended().await;
    let (took, drain) = (start.elapsed(), limits().drain);
    assert!(took >= drain, "only {took:?} to finish");
    assert!(took < drain + Duration::from_secs(1), "{took:?}");
    within(endless).await.expect("a task").expect_err("cut");
}

/// An idle keep-alive connection has nothing to lose.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_do_not_delay_a_shutdown() {
    let mut server = Server::start(Limits { drain: Duration::from_secs(8), ..limits() }).await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut client = server.client().await;
        assert_served(&mut client).await;
        clients.push(client);
    }
    let start = Instant::now();
    server.stop();
    server.ended().await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

/// Old connections are asked to move on, after what they are doing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_connection_finishes_its_call_and_ends() {
    let connection_age = Duration::from_millis(200);
    let mut server = Server::start(Limits { connection_age, ..limits() }).await;
    let client = server.client().await;
    let held = spawn_call(&client, "hold");
    server.wait_inside(1).await;
    tokio::time::sleep(connection_age * 2).await;
    server.release();
    within(held).await.expect("a task").expect("not lost");
    until(async || client.clone().sign_in(crate::world::sign_in("echo")).await.is_err()).await;
    assert_served(&mut server.client().await).await;
}

/// A client that balances by itself keeps one of these open on every connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_health_watch_does_not_delay_a_shutdown() {
    let (lame_duck, drain) = (Duration::from_millis(300), Duration::from_secs(8));
    let mut server = Server::start(Limits { lame_duck, drain, ..limits() }).await;
    let mut client = HealthClient::with_origin(server.connect().await, origin());
    let watching = within(client.watch(HealthCheckRequest::default())).await.expect("a stream");
    let mut watching = watching.into_inner();
    let mut last = None;
    let start = Instant::now();
    server.stop();
    let end = loop {
        match within(watching.message()).await {
            Ok(Some(received)) => last = Some(received.status()),
            Ok(None) => panic!("an end without a word"),
            Err(end) => break end,
        }
    };
    assert_eq!((last, end.code()), (Some(ServingStatus::NotServing), Code::Unavailable));
    server.ended().await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}
