//! Streams without a token: limited like others, and counted apart from them.

use futures_util::{Stream, StreamExt, stream};
use server::{Assembly, Limits};
use tokio::sync::mpsc;
use tonic::{Code, Status, Streaming};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient};
use tonic_reflection::pb::{v1, v1alpha};

use crate::{
    streaming::{Streams, WATCH, open},
    wire::{Connection, origin},
    world::{Server, assert_served, client, limits, until, within},
};

async fn watch(connection: &Connection) -> Result<Streaming<HealthCheckResponse>, Status> {
    let mut client = HealthClient::with_origin(connection.clone(), origin());
    let opened = within(client.watch(HealthCheckRequest::default())).await;
    opened.map(tonic::Response::into_inner)
}

async fn check(connection: &Connection) -> Result<(), Status> {
    let mut client = HealthClient::with_origin(connection.clone(), origin());
    within(client.check(HealthCheckRequest::default())).await.map(|_| ())
}

/// Requests that end when their sender is dropped.
fn requests<T: Send + 'static>() -> (mpsc::Sender<T>, impl Stream<Item = T> + Send) {
    let (sender, receiver) = mpsc::channel(1);
    let requests = stream::unfold(receiver, async |mut receiver: mpsc::Receiver<T>| {
        receiver.recv().await.map(|request| (request, receiver))
    });
    (sender, requests)
}

/// A reflection stream without requests, open until its guard is dropped.
async fn reflect(connection: &Connection) -> Result<impl Sized + use<>, Status> {
    use v1::server_reflection_client::ServerReflectionClient;
    let (sender, requests) = requests();
    let mut client = ServerReflectionClient::with_origin(connection.clone(), origin());
    within(client.server_reflection_info(requests)).await.map(|responses| (sender, responses))
}

/// Reflection in version 1 alpha.
async fn reflect_alpha(connection: &Connection) -> Result<impl Sized + use<>, Status> {
    use v1alpha::server_reflection_client::ServerReflectionClient;
    let (sender, requests) = requests();
    let mut client = ServerReflectionClient::with_origin(connection.clone(), origin());
    within(client.server_reflection_info(requests)).await.map(|responses| (sender, responses))
}

fn assert_too_many_streams<T>(opened: Result<T, Status>) {
    let refused = opened.err().expect("one too many");
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_watches_and_reflection_are_counted_together_and_released() {
    for few in [
        Limits { public_streams: 3, ..limits() },
        Limits { public_streams_per_address: 3, ..limits() },
    ] {
        let server = Server::start(few).await;
        let (one, other) = (server.connect().await, server.connect().await);
        let mut watched = watch(&one).await.expect("the first");
        assert!(within(watched.next()).await.expect("a message").is_ok());
        let second = reflect(&other).await.expect("the second");
        let third = reflect_alpha(&one).await.expect("the third");
        assert_too_many_streams(watch(&other).await);
        assert_too_many_streams(reflect(&one).await);
        assert_too_many_streams(reflect_alpha(&other).await);
        // Single health checks need no permit, and calls have permits of their own.
        for connection in [&one, &other] {
            check(connection).await.expect("free");
            assert_served(&mut client(connection.clone())).await;
        }
        drop((watched, second, third));
        let mut again = Vec::new();
        for _ in 0..3 {
            until(async || watch(&one).await.map(|it| again.push(it)).is_ok()).await;
        }
        assert_too_many_streams(watch(&one).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_without_a_token_take_no_permits_of_users() {
    let few = Limits { calls: 1, streams: 1, public_streams: 64, ..limits() };
    let (server, _) = Streams::start(few).await;
    let connection = server.connect().await;
    let mut watched = Vec::new();
    for _ in 0..64 {
        watched.push(watch(&connection).await.expect("a health watch"));
    }
    assert_too_many_streams(watch(&connection).await);
    let stream = within(open(&connection, WATCH, "quiet")).await.expect("a user's watch");
    until(async || {
        let call = client(connection.clone()).sign_in(crate::world::sign_in("echo")).await;
        call.is_ok()
    })
    .await;
    drop((stream, watched));
}

/// With a full house a service is watched as ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_watches_of_a_busy_server_work_and_end_with_its_shutdown() {
    let mut server =
        Server::start_beside(Assembly::default(), Limits { calls: 1, ..limits() }, true).await;
    let caller = server.client().await;
    let held = crate::world::spawn_call(&caller, "hold");
    server.wait_inside(1).await;
    let connection = server.connect().await;
    let mut watched = watch(&connection).await.expect("no place is needed");
    assert!(within(watched.next()).await.expect("a message").is_ok());
    server.release();
    within(held).await.expect("a task").expect("an answer");
    server.stop();
    let last = within(async { while let Some(Ok(_)) = watched.next().await {} });
    last.await;
    server.ended().await;
}
