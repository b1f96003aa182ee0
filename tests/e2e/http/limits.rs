//! Connection limits and load shedding by client, on both ports together.

use std::{net::SocketAddr, time::Duration};

use fixtures::Backend;
use http::{Method, StatusCode};
use serde_json::json;

use super::raw_connection::RawConnection;
use crate::{
    caller::SignedIn,
    exchange::{HttpRequest, Reply},
    wire::{Problem, Wire, assert_surrounded},
    world::World,
};

async fn world(settings: &[(&'static str, &str)]) -> World {
    let world = World::start_with(Backend::Sqlite, Wire::Http, settings).await;
    world.expect("SQLite is always there")
}

/// auth-service keeps no connection of its own to task-service there.
async fn eight_connections() -> World {
    world(&[("MAX_CONNECTIONS_PER_ADDRESS", "8"), ("TASK_SERVICE_URL", "off")]).await
}

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";

/// A connection with a watch on it; `None`: it was closed unserved.
async fn watching(world: &World, alice: &SignedIn) -> Option<RawConnection> {
    let mut line = RawConnection::open(world.tasks_http()).await;
    let (id, token) = (alice.id(), &alice.access_token);
    let head = format!("GET /api/{id}/tasks/watch HTTP/1.1\r\nhost: x");
    line.send(format!("{head}\r\nauthorization: Bearer {token}\r\n\r\n")).await;
    let (status, _) = line.receive().await?;
    assert_eq!(status, 200);
    Some(line)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_so_many_connections_on_both_ports_together() {
    let world = eight_connections().await;
    let alice = world.alice().await;
    let mut served = Vec::new();
    for number in 0..24 {
        match watching(&world, &alice).await {
            Some(line) => served.push(line),
            None => assert!(number >= 8, "connection {number} is refused"),
        }
    }
    assert_eq!(served.len(), 8);
    let mut other = RawConnection::open(world.tasks_grpc()).await;
    other.send(HEALTH).await;
    assert_eq!(other.receive().await, None, "the gRPC port has no slots of its own");

    // A closed connection frees its slot.
    served.clear();
    let mut tries = 0;
    while watching(&world, &alice).await.is_none() {
        tries += 1;
        assert!(tries < 100, "no slot comes free");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.stop().await;
}

/// Idle connections hold no slot that others need.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_give_way_to_new_ones() {
    let world = eight_connections().await;
    let mut kept = Vec::new();
    let mut tries = 0;
    while kept.len() < 24 {
        let mut line = RawConnection::open(world.tasks_http()).await;
        line.send(HEALTH).await;
        if line.receive().await.is_some() {
            kept.push(line);
            continue;
        }
        // A connection that has just been used is kept for a moment.
        tries += 1;
        assert!(kept.len() >= 8 && tries < 200, "{} are served", kept.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The youngest are kept.
    for line in &mut kept[16..] {
        line.send(HEALTH).await;
        assert_eq!(line.receive().await.map(|(status, _)| status), Some(200));
    }
    for line in &mut kept[..16] {
        line.send(HEALTH).await;
        assert_eq!(line.receive().await, None);
    }
    world.stop().await;
}

/// A creation by `alice`.
fn creation(alice: &SignedIn) -> HttpRequest {
    let path = format!("/api/{}/tasks", alice.id());
    HttpRequest::new(Method::POST, &path).bearer(&alice.access_token).json(&json!({ "title": "x" }))
}

/// The response to `call`, repeated until it is admitted: the probe may hold the last permit.
async fn admitted(call: HttpRequest, address: SocketAddr) -> Reply {
    for _ in 0..1000 {
        let answer = call.clone().send(address).await;
        if answer.status != StatusCode::TOO_MANY_REQUESTS {
            return answer;
        }
    }
    panic!("no permit comes free for {}", call.path());
}

/// Waits until every permit of this client is held: the probe is refused.
async fn until_busy(probe: HttpRequest, address: SocketAddr) {
    for _ in 0..1000 {
        if probe.clone().send(address).await.status == StatusCode::TOO_MANY_REQUESTS {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("permits are left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_so_many_calls_in_progress_and_the_next_is_429() {
    let world = world(&[("MAX_CALLS_PER_ADDRESS", "3")]).await;
    let (alice, address) = (world.alice().await, world.tasks_http());
    let table = world.task_table("task").await;
    let held = table.lock().await;
    let working = (0..3).map(|_| tokio::spawn(admitted(creation(&alice), address)));
    let working: Vec<_> = working.collect();
    let list = HttpRequest::new(Method::GET, creation(&alice).path()).bearer(&alice.access_token);
    until_busy(list, address).await;
    // A refusal that never reached a route is an answer like any other, to pages as well.
    for (origin, allowed) in
        [("http://localhost:3000", "http://localhost:3000"), ("https://evil.example", "")]
    {
        let busy = creation(&alice).header("origin", origin).send(address).await;
        assert_eq!(busy.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(Problem::read(&busy).code, "RESOURCE_EXHAUSTED");
        assert_eq!(busy.text("access-control-allow-origin"), allowed, "{busy:?}");
        assert!(busy.text("vary").to_lowercase().contains("origin"), "{busy:?}");
    }
    // A server that is busy is not dead.
    let health = HttpRequest::new(Method::GET, "/health").send(address).await;
    assert_eq!(health.status, StatusCode::OK);

    held.rollback().await.expect("the lock is gone");
    for call in working {
        assert_eq!(call.await.expect("an answer").status, StatusCode::CREATED);
    }
    assert_eq!(alice.all_tasks().await.len(), 3);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn auth_service_sends_429_in_better_auths_words() {
    let world = world(&[("MAX_CALLS_PER_ADDRESS", "1")]).await;
    let (alice, address) = (world.alice().await, world.auth_http());
    let table = world.auth_table("user").await;
    let held = table.lock().await;
    let update =
        HttpRequest::new(Method::POST, "/api/auth/update-user").bearer(&alice.session_token);
    let working = tokio::spawn(admitted(update.json(&json!({ "name": "Alice" })), address));
    let signed_out = HttpRequest::new(Method::GET, "/api/auth/get-session");
    until_busy(signed_out.clone(), address).await;
    let busy = signed_out.send(address).await;
    assert_surrounded(&busy);
    assert_eq!(busy.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(busy.json(), json!({ "message": "Too many requests. Please try again later." }));
    assert_eq!(busy.text("x-retry-after"), busy.text("retry-after"));
    held.rollback().await.expect("the lock is gone");
    assert_eq!(working.await.expect("an answer").status, StatusCode::OK);
    world.stop().await;
}

/// Begins a creation whose body is waited for from now on: the server has asked for it.
async fn begun(world: &World, alice: &SignedIn) -> RawConnection {
    let mut line = RawConnection::open(world.tasks_http()).await;
    let (id, token) = (alice.id(), &alice.access_token);
    let head = format!("POST /api/{id}/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}");
    let body = "content-type: application/json\r\ncontent-length: 14\r\nexpect: 100-continue";
    line.send(format!("{head}\r\n{body}\r\n\r\n")).await;
    assert_eq!(line.receive().await.map(|(status, _)| status), Some(100));
    line
}

/// Waits until the permit of the last call on this connection is free: a response holds it
/// until its bytes are sent, and only then is the next request on its connection read.
async fn done_with(line: &mut RawConnection) {
    line.send(HEALTH).await;
    assert_eq!(line.receive().await.map(|(status, _)| status), Some(200));
}

/// Waits until one more call gets a permit, and leaves it free.
async fn until_a_permit_is_free(world: &World, alice: &SignedIn) {
    let mut line = RawConnection::open(world.tasks_http()).await;
    let (id, token) = (alice.id(), &alice.access_token);
    let list = format!("GET /api/{id}/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}");
    for _ in 0..100 {
        line.send(format!("{list}\r\n\r\n")).await;
        match line.receive().await {
            Some((200, _)) => return done_with(&mut line).await,
            refused => assert_eq!(refused.map(|(status, _)| status), Some(429)),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no permit comes free");
}

/// A slow body holds no permit, and a client can have few of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_hold_no_permit_and_are_limited_themselves() {
    let world = world(&[("MAX_CALLS_PER_ADDRESS", "1")]).await;
    let alice = world.alice().await;
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(begun(&world, &alice).await);
        until_a_permit_is_free(&world, &alice).await;
    }
    let mut one_more = begun(&world, &alice).await;
    assert_eq!(one_more.receive().await.map(|(status, _)| status), Some(429));
    for line in &mut waiting {
        line.send(r#"{"title": "x"}"#).await;
        assert_eq!(line.receive().await.map(|(status, _)| status), Some(201));
        done_with(line).await;
    }
    world.stop().await;
}
