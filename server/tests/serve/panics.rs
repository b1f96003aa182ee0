//! A panic costs the call it happens in.

use proto::auth::v1::SignUpRequest;
use tonic::Code;

use crate::world::{Server, assert_served, limits, spawn_call, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_panics_cost_a_hundred_calls_and_nothing_else() {
    let mut server = Server::start(limits()).await;
    let mut client = server.client().await;
    let bystander = spawn_call(&client, "hold");
    server.wait_inside(1).await;
    for round in 0..100 {
        let failed = within(client.sign_up(SignUpRequest::default())).await;
        let failed = failed.expect_err("the handler panics");
        assert_eq!(failed.code(), Code::Internal, "round {round}: {failed}");
        assert_eq!(failed.message(), "internal error");
        assert!(failed.metadata().contains_key("x-request-id"));
        assert_served(&mut client).await;
    }
    server.release();
    let response = within(bystander).await.expect("a task").expect("not disturbed");
    assert_eq!(response.into_inner().session_token, "token");
    server.stop();
    server.ended().await;
}

/// The permit of a call that panics is released.
#[tokio::test]
async fn a_panic_releases_its_permit() {
    let server = Server::start(server::Limits { calls: 1, ..limits() }).await;
    let mut client = server.client().await;
    for _ in 0..5 {
        let failed = within(client.sign_up(SignUpRequest::default())).await;
        assert_eq!(failed.expect_err("the handler panics").code(), Code::Internal);
    }
    assert_served(&mut client).await;
}
