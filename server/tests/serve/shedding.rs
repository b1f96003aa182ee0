//! Load shedding: beyond the limit of calls, the next wait a moment and are then refused, with a
//! retry delay.

use server::Limits;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_types::StatusExt;

use crate::{
    wire::origin,
    world::{Server, assert_served, limits, sign_in, spawn_call, within},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_beyond_the_limit_are_refused_and_the_others_succeed() {
    let mut server = Server::start(Limits { calls: 3, ..limits() }).await;
    // The limit is the server's, not a connection's.
    let (first, mut second) = (server.client().await, server.client().await);
    let held =
        [spawn_call(&first, "hold"), spawn_call(&first, "hold"), spawn_call(&second, "hold")];
    server.wait_inside(3).await;
    // All at once: one by one, their waits would outlast the deadline of the held calls.
    let beyond = [(); 20].map(|()| spawn_call(&second, "echo"));
    for call in beyond {
        let refused = within(call).await.expect("a task").expect_err("no place");
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        let details = refused.get_error_details();
        let wait = details.retry_info().expect("RetryInfo").retry_delay.expect("a delay");
        assert!(!wait.is_zero());
    }
    server.release();
    for call in held {
        within(call).await.expect("a task").expect("had its place");
    }
    assert_served(&mut second).await;
}

/// A busy server that looked dead would be restarted, and its callers moved to the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_still_reports_that_it_serves() {
    let mut server = Server::start(Limits { calls: 1, ..limits() }).await;
    let client = server.client().await;
    let held = spawn_call(&client, "hold");
    server.wait_inside(1).await;
    let mut health = HealthClient::with_origin(server.connect().await, origin());
    within(health.check(HealthCheckRequest::default())).await.expect("an answer");
    server.release();
    within(held).await.expect("a task").expect("had its place");
}

/// One address cannot take what all share, however many connections it has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_no_more_than_its_share() {
    let mut server = Server::start(Limits { calls_per_address: 2, ..limits() }).await;
    let (first, mut second) = (server.client().await, server.client().await);
    let held = [spawn_call(&first, "hold"), spawn_call(&second, "hold")];
    server.wait_inside(2).await;
    let refused = within(second.sign_in(sign_in("echo"))).await.expect_err("no share left");
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    server.release();
    for call in held {
        within(call).await.expect("a task").expect("had its place");
    }
    assert_served(&mut second).await;
}

/// A client that disconnects releases its permit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_call_releases_its_permit() {
    let mut server = Server::start(Limits { calls: 1, ..limits() }).await;
    let mut client = server.client().await;
    let abandoned = spawn_call(&client, "never");
    server.wait_inside(1).await;
    abandoned.abort();
    crate::world::until(async || client.sign_in(sign_in("echo")).await.is_ok()).await;
}
