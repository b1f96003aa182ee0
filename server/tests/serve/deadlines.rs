//! No call takes longer than the server allows, or than its caller waits.

use std::time::{Duration, Instant};

use server::Limits;
use tonic::{Code, Request};

use crate::world::{Server, assert_served, limits, sign_in, within};

#[tokio::test]
async fn a_call_ends_at_the_shorter_of_both_deadlines() {
    let short = Duration::from_millis(200);
    let long = Duration::from_secs(8);
    for (server_allows, caller_waits, cut) in [
        (short, None, true),
        (short, Some("1H"), true),
        (long, Some("200m"), true),
        (long, Some("200000u"), true),
        // Not a timeout at all, so the server's own holds.
        (short, Some("soon"), true),
        (long, None, false),
        (long, Some("8S"), false),
    ] {
        let case = format!("{server_allows:?}, {caller_waits:?}");
        let server = Server::start(Limits { request_timeout: server_allows, ..limits() }).await;
        let mut client = server.client().await;
        let mut request = Request::new(sign_in("never"));
        if let Some(timeout) = caller_waits {
            request.metadata_mut().insert("grpc-timeout", timeout.parse().expect("a value"));
        }
        let start = Instant::now();
        let bound = Duration::from_secs(if cut { 5 } else { 1 });
        let response = tokio::time::timeout(bound, client.sign_in(request)).await;
        if cut {
            let refused = response.expect("in time").expect_err("too slow");
            assert_eq!(refused.code(), Code::DeadlineExceeded, "{case}: {refused}");
            assert!(start.elapsed() >= short, "{case}: too early");
            assert_served(&mut client).await;
        } else {
            assert!(response.is_err(), "{case}: not yet");
        }
    }
}

#[tokio::test]
async fn a_call_that_was_cut_releases_its_permit() {
    let request_timeout = Duration::from_millis(50);
    let server = Server::start(Limits { request_timeout, calls: 1, ..limits() }).await;
    let mut client = server.client().await;
    for _ in 0..3 {
        let refused = within(client.sign_in(sign_in("never"))).await.expect_err("too slow");
        assert_eq!(refused.code(), Code::DeadlineExceeded);
    }
    assert_served(&mut client).await;
}
