//! Rate limits: the refusal.

use std::time::Duration;

use chrono::TimeDelta;
use tonic::Code;
use tonic_types::StatusExt;

use super::{ADA, WRONG, ada, still_world, try_grpc, try_http};
use crate::{
    answer::{Refused, reason},
    caller::PASSWORD,
};

const NOBODY: &str = "nobody@example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_wires_return_how_long_to_wait_and_it_is_enough() {
    let (world, clock) = still_world(&[]).await;
    ada(&world).await;
    for _ in 0..5 {
        assert_eq!(try_http(&world, "203.0.113.7", ADA, WRONG).await.status, 401);
    }
    clock.advance(TimeDelta::milliseconds(2100));
    let status = try_grpc(&world, "203.0.113.7", ADA, PASSWORD).await.expect_err("refused");
    assert_eq!((status.code(), &*reason(&status)), (Code::ResourceExhausted, "TOO_MANY_ATTEMPTS"));
    assert_eq!(status.message(), "Too many attempts. Please try again later.");
    let wait = status.get_details_retry_info().and_then(|retry| retry.retry_delay);
    assert_eq!(wait, Some(Duration::from_secs(8)));

    let reply = try_http(&world, "203.0.113.7", ADA, PASSWORD).await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.body, r#"{"message":"Too many requests. Please try again later."}"#);
    assert_eq!((reply.text("retry-after"), reply.text("x-retry-after")), ("8", "8"));

    clock.advance(TimeDelta::seconds(8));
    assert_eq!(try_http(&world, "203.0.113.7", ADA, PASSWORD).await.status, 200);
    world.stop().await;
}

/// From the first guess to the last refusal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_does_not_exist_is_limited_to_the_byte_alike() {
    let (world, _clock) = still_world(&[]).await;
    ada(&world).await;
    let mut replies = Vec::new();
    for (email, grpc_from, http_from) in
        [(ADA, "203.0.113.1", "203.0.113.2"), (NOBODY, "203.0.113.3", "203.0.113.4")]
    {
        let mut answers = (Vec::new(), Vec::new());
        for _ in 0..8 {
            answers.0.push(try_grpc(&world, grpc_from, email, WRONG).await.map(drop).answer());
            let reply = try_http(&world, http_from, email, WRONG).await;
            let mut headers = reply.headers.clone();
            headers.remove("date");
            headers.remove("x-request-id");
            answers.1.push((reply.status, headers, reply.body));
        }
        assert_eq!(answers.1[5].0, 429);
        replies.push(answers);
    }
    assert_eq!(replies[0], replies[1]);
    world.stop().await;
}
