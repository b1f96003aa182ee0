//! Rate limits: right passwords, however many.

use std::time::Duration;

use chrono::TimeDelta;
use proto::auth::v1::VerifyPasswordRequest;
use tonic::Code;
use tonic_types::StatusExt;

use super::{ADA, WRONG, ada, from, post, still_world, try_grpc, try_http};
use crate::{answer::reason, caller::PASSWORD};

const HERE: &str = "203.0.113.7";
const ELSEWHERE: &str = "203.0.113.8";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn right_passwords_have_limits_of_their_own_on_both_wires() {
    let (world, clock) = still_world(&[("RIGHT_PASSWORDS", "4/60s")]).await;
    let ada = ada(&world).await;
    try_grpc(&world, HERE, ADA, PASSWORD).await.expect("the first");
    let verify = VerifyPasswordRequest { password: PASSWORD.into() };
    ada.sessions().verify_password(from(HERE, verify.clone())).await.expect("the second");

    let status = try_grpc(&world, HERE, ADA, PASSWORD).await.expect_err("the third");
    assert_eq!((status.code(), &*reason(&status)), (Code::Unavailable, "BUSY"));
    assert_eq!(status.message(), "The server is busy. Please try again later.");
    let wait = status.get_details_retry_info().and_then(|retry| retry.retry_delay);
    assert_eq!(wait, Some(Duration::from_secs(20)));
    let status = ada.sessions().verify_password(from(HERE, verify)).await.expect_err("the same");
    assert_eq!(reason(&status), "BUSY");

    let reply = try_http(&world, HERE, ADA, PASSWORD).await;
    assert_eq!(reply.status, 503);
    assert_eq!(
        reply.body,
        r#"{"message":"The server is busy. Please try again later.","code":"BUSY"}"#
    );
    assert_eq!((reply.text("retry-after"), reply.text("x-retry-after")), ("20", "20"));
    let bearer = format!("Bearer {}", ada.session_token);
    let headers = [("authorization", bearer.as_str()), ("x-forwarded-for", HERE)];
    for (path, body) in [
        ("/verify-password", serde_json::json!({ "password": PASSWORD })),
        (
            "/change-password",
            serde_json::json!({ "currentPassword": PASSWORD, "newPassword": "hail and rain" }),
        ),
        ("/delete-user", serde_json::json!({ "password": PASSWORD })),
    ] {
        let reply = post(&world, path, &headers, &body).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (503, &"BUSY".into()), "{path}");
    }

    try_grpc(&world, ELSEWHERE, ADA, PASSWORD).await.expect("from elsewhere");
    clock.advance(TimeDelta::seconds(20));
    assert_eq!(try_http(&world, HERE, ADA, PASSWORD).await.status, 200);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_has_so_many_right_ones_and_wrong_ones_are_not_among_them() {
    let (world, _clock) = still_world(&[("RIGHT_PASSWORDS_PER_ADDRESS", "4/60s")]).await;
    ada(&world).await;
    for _ in 0..5 {
        assert_eq!(try_http(&world, HERE, ADA, WRONG).await.status, 401);
    }
    for _ in 0..2 {
        assert_eq!(try_http(&world, ELSEWHERE, ADA, PASSWORD).await.status, 200);
    }
    assert_eq!(try_http(&world, ELSEWHERE, ADA, PASSWORD).await.status, 503);
    assert_eq!(try_http(&world, ELSEWHERE, "nobody@example.com", WRONG).await.status, 503);
    world.stop().await;
}
