//! Clients that send requests and do not read the responses.

use std::time::Duration;

use server::Limits;
use tonic::Code;

use crate::{
    wire::{Connection, framed},
    world::{Server, assert_served, limits, sign_in, until},
};

/// The transport takes a body long before it has sent it, and asks for no more while it
/// cannot send: neither may free the place, and the first must not keep it for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unread_response_keeps_its_permit_for_a_time_and_ends_its_connection() {
    let answer_timeout = Duration::from_millis(400);
    let server = Server::start(Limits {
        calls: 1,
        answer_timeout,
        request_timeout: Duration::from_millis(200),
        ..limits()
    })
    .await;
    let mut stalled = Connection::open_without_window(server.addr).await.expect("a connection");
    let mut other = server.client().await;
    let message = prost::Message::encode_to_vec(&sign_in("echo"));
    let path = "/auth.v1.AuthService/SignIn";
    let head = stalled.post(path, &[], &framed(&message)).await.expect("the head of an answer");
    assert_eq!(head.status(), 200);

    let busy = other.sign_in(sign_in("echo")).await.expect_err("the only place is taken");
    assert_eq!(busy.code(), Code::ResourceExhausted);
    until(async || other.clone().sign_in(sign_in("echo")).await.is_ok()).await;
    // Whoever held it has been asked to leave, and was ended; the other stays.
    until(async || stalled.post(path, &[], &framed(&message)).await.is_err()).await;
    assert_served(&mut other).await;
}
