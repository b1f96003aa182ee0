//! What one caller may take of the ports, all together.

use std::time::Duration;

use fixtures::Backend;
use http::{Method, StatusCode};
use serde_json::json;

use super::conversation::Conversation;
use crate::{
    caller::SignedIn,
    exchange::Asked,
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
async fn watching(world: &World, alice: &SignedIn) -> Option<Conversation> {
    let mut line = Conversation::open(world.tasks_door()).await;
    let (id, token) = (alice.id(), &alice.access_token);
    let head = format!("GET /api/{id}/tasks/watch HTTP/1.1\r\nhost: x");
    line.say(format!("{head}\r\nauthorization: Bearer {token}\r\n\r\n")).await;
    let (status, _) = line.hear().await?;
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
    let mut other = Conversation::open(world.tasks_grpc()).await;
    other.say(HEALTH).await;
    assert_eq!(other.hear().await, None, "the gRPC port has no seats of its own");

    // Whoever leaves makes room.
    served.clear();
    let mut tries = 0;
    while watching(&world, &alice).await.is_none() {
        tries += 1;
        assert!(tries < 100, "nobody gets a seat back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.stop().await;
}

/// What is not in use keeps nobody out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_kept_for_later_make_room_for_others() {
    let world = eight_connections().await;
    let mut kept = Vec::new();
    let mut tries = 0;
    while kept.len() < 24 {
        let mut line = Conversation::open(world.tasks_door()).await;
        line.say(HEALTH).await;
        if line.hear().await.is_some() {
            kept.push(line);
            continue;
        }
        // What has just been used is kept for a moment.
        tries += 1;
        assert!(kept.len() >= 8 && tries < 200, "{} are served", kept.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The youngest are kept.
    for line in &mut kept[16..] {
        line.say(HEALTH).await;
        assert_eq!(line.hear().await.map(|(status, _)| status), Some(200));
    }
    for line in &mut kept[..16] {
        line.say(HEALTH).await;
        assert_eq!(line.hear().await, None);
    }
    world.stop().await;
}

/// A creation by `alice`.
fn creation(alice: &SignedIn) -> Asked {
    let path = format!("/api/{}/tasks", alice.id());
    Asked::new(Method::POST, &path).bearer(&alice.access_token).json(&json!({ "title": "x" }))
}

/// Long enough for what was sent to have arrived, and been waited for in vain.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_so_many_calls_in_progress_and_the_next_is_429() {
    let world = world(&[("MAX_CALLS_PER_ADDRESS", "3")]).await;
    let (alice, door) = (world.alice().await, world.tasks_door());
    let table = world.task_table("task").await;
    let held = table.lock().await;
    let working: Vec<_> = (0..3).map(|_| tokio::spawn(creation(&alice).send(door))).collect();
    settle().await;
    // A refusal that never reached a route is an answer like any other, to pages as well.
    for (origin, allowed) in
        [("http://localhost:3000", "http://localhost:3000"), ("https://evil.example", "")]
    {
        let busy = creation(&alice).header("origin", origin).send(door).await;
        assert_eq!(busy.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(Problem::read(&busy).code, "RESOURCE_EXHAUSTED");
        assert_eq!(busy.text("access-control-allow-origin"), allowed, "{busy:?}");
        assert!(busy.text("vary").to_lowercase().contains("origin"), "{busy:?}");
    }
    // A server that is busy is not dead.
    let health = Asked::new(Method::GET, "/health").send(door).await;
    assert_eq!(health.status, StatusCode::OK);

    held.rollback().await.expect("the lock is gone");
    for call in working {
        assert_eq!(call.await.expect("an answer").status, StatusCode::CREATED);
    }
    assert_eq!(alice.all_tasks().await.len(), 3);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_auth_door_says_429_in_better_auths_words() {
    let world = world(&[("MAX_CALLS_PER_ADDRESS", "1")]).await;
    let (alice, door) = (world.alice().await, world.auth_door());
    let table = world.auth_table("user").await;
    let held = table.lock().await;
    let update = Asked::new(Method::POST, "/api/auth/update-user").bearer(&alice.session_token);
    let working = tokio::spawn(update.json(&json!({ "name": "Alice" })).send(door));
    settle().await;
    let busy = Asked::new(Method::GET, "/api/auth/get-session").send(door).await;
    assert_surrounded(&busy);
    assert_eq!(busy.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(busy.json(), json!({ "message": "Too many requests. Please try again later." }));
    assert_eq!(busy.text("x-retry-after"), busy.text("retry-after"));
    held.rollback().await.expect("the lock is gone");
    assert_eq!(working.await.expect("an answer").status, StatusCode::OK);
    world.stop().await;
}

/// Begins a creation whose body is waited for from now on: the server has asked for it.
async fn begun(world: &World, alice: &SignedIn) -> Conversation {
    let mut line = Conversation::open(world.tasks_door()).await;
    let (id, token) = (alice.id(), &alice.access_token);
    let head = format!("POST /api/{id}/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}");
    let body = "content-type: application/json\r\ncontent-length: 14\r\nexpect: 100-continue";
    line.say(format!("{head}\r\n{body}\r\n\r\n")).await;
    assert_eq!(line.hear().await.map(|(status, _)| status), Some(100));
    line
}

/// Waits until what this connection heard last has given its place back: an answer holds it
/// until its bytes have left, and only then is the next request on its connection looked at.
async fn done_with(line: &mut Conversation) {
    line.say(HEALTH).await;
    assert_eq!(line.hear().await.map(|(status, _)| status), Some(200));
}

/// Waits until one more call finds a place, and leaves it free.
async fn until_there_is_a_place(world: &World, alice: &SignedIn) {
    let mut line = Conversation::open(world.tasks_door()).await;
    let (id, token) = (alice.id(), &alice.access_token);
    let list = format!("GET /api/{id}/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}");
    for _ in 0..100 {
        line.say(format!("{list}\r\n\r\n")).await;
        match line.hear().await {
            Some((200, _)) => return done_with(&mut line).await,
            refused => assert_eq!(refused.map(|(status, _)| status), Some(429)),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no place comes free");
}

/// Who dribbles a body takes nothing from those who do not, and cannot have many of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_keep_nobody_out_and_are_limited_themselves() {
    let world = world(&[("MAX_CALLS_PER_ADDRESS", "1")]).await;
    let alice = world.alice().await;
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(begun(&world, &alice).await);
        until_there_is_a_place(&world, &alice).await;
    }
    let mut one_more = begun(&world, &alice).await;
    assert_eq!(one_more.hear().await.map(|(status, _)| status), Some(429));
    for line in &mut waiting {
        line.say(r#"{"title": "x"}"#).await;
        assert_eq!(line.hear().await.map(|(status, _)| status), Some(201));
        done_with(line).await;
    }
    world.stop().await;
}
