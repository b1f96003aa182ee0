//! Security events that alarm the user who reads them.

use chrono::TimeDelta;
use proto::auth::v1::{
    GetSessionRequest, RefreshSessionRequest, UpdateUserRequest, VerifyPasswordRequest,
};
use shared::clock::ManualClock;
use tonic::Code;

use crate::{
    answer::Refused,
    data_export::exported,
    scenarios::{in_both_worlds, in_both_worlds_with_manual_clock},
    security_events::{kinds, so_many},
    world::World,
};

const ALICE: &str = "alice@example.com";
const WRONG: &str = "tulips and sun";

in_both_worlds!(
    refused_attempts_are_recorded_once_a_minute_for_the_account,
    an_account_named_by_an_address_at_its_limit_has_no_event,
    attempts_of_a_signed_in_user_are_recorded_as_well,
    a_data_export_is_recorded,
);
in_both_worlds_with_manual_clock!(
    what_can_be_repeated_is_written_once_a_minute,
    a_replaced_token_that_was_used_again_is_recorded,
);

async fn refused_attempts_are_recorded_once_a_minute_for_the_account(world: &World) {
    let limited = world.another(&[("ATTEMPT_LIMITS", "on")]).await;
    let (alice, bob) = (limited.alice().await, limited.bob().await);
    let mut refused = 0;
    while refused < 3 {
        let answer = limited.stranger().try_sign_in(ALICE, WRONG).await;
        match answer.map(drop).expect_err("not the password").code() {
            Code::Unauthenticated => {}
            Code::ResourceExhausted => refused += 1,
            code => panic!("{code:?}"),
        }
    }
    let recorded = so_many(&alice, 3).await;
    assert_eq!(kinds(&recorded), ["attempts_limited", "sign_in_failed", "signed_up"]);
    assert_eq!(kinds(&so_many(&bob, 1).await), ["signed_up"]);
    limited.stop().await;
}

/// An address at its own limit is refused whatever account it names.
async fn an_account_named_by_an_address_at_its_limit_has_no_event(world: &World) {
    let on = [("ATTEMPT_LIMITS", "on"), ("PASSWORD_ATTEMPTS_PER_ADDRESS", "4/90s")];
    let limited = world.another(&on).await;
    let alice = limited.alice().await;
    for number in 0..8 {
        let nobody = format!("nobody-{number}@example.com");
        let answer = limited.stranger().try_sign_in(&nobody, WRONG).await;
        let code = answer.map(drop).expect_err("nobody").code();
        assert_eq!(code == Code::ResourceExhausted, number >= 2, "{number}: {code:?}");
    }
    let answer = limited.stranger().try_sign_in(ALICE, WRONG).await;
    assert_eq!(answer.map(drop).expect_err("refused").code(), Code::ResourceExhausted);
    // Written after it, so that it would be there.
    let update = UpdateUserRequest { name: Some("A".into()), image: None };
    alice.sessions().update_user(update).await.expect("updated");
    assert_eq!(kinds(&so_many(&alice, 2).await), ["user_updated", "signed_up"]);
    limited.stop().await;
}

async fn what_can_be_repeated_is_written_once_a_minute(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    let repeat = async || {
        for number in 0..5 {
            let update = UpdateUserRequest { name: Some(format!("A{number}")), image: None };
            alice.sessions().update_user(update).await.expect("updated");
            exported(&alice).await.expect("a document");
            for email in [ALICE, &format!("nobody-{number}@example.com")] {
                let wrong = world.stranger().try_sign_in(email, WRONG).await;
                wrong.refused(Code::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD");
            }
        }
    };
    repeat().await;
    let each = ["sign_in_failed", "data_exported", "user_updated"];
    assert_eq!(kinds(&so_many(&alice, 4).await), [&each[..], &["signed_up"]].concat());
    clock.advance(TimeDelta::seconds(60));
    repeat().await;
    assert_eq!(kinds(&so_many(&alice, 7).await)[..3], each);
    let kinds: Vec<String> = world.auth_table("security_event").await.column("kind").await;
    let failed = kinds.iter().filter(|kind| *kind == "sign_in_failed").count();
    assert_eq!(failed, 4, "two of hers and two of nobody");
}

async fn attempts_of_a_signed_in_user_are_recorded_as_well(world: &World) {
    let limited = world.another(&[("ATTEMPT_LIMITS", "on")]).await;
    let alice = limited.alice().await;
    let mut wrong = 0;
    loop {
        let guess = VerifyPasswordRequest { password: WRONG.into() };
        let answer = alice.sessions().verify_password(guess).await;
        match answer.expect_err("not the password").code() {
            Code::InvalidArgument => wrong += 1,
            Code::ResourceExhausted => break,
            code => panic!("{code:?}"),
        }
    }
    let recorded = so_many(&alice, 1 + wrong + 1).await;
    assert_eq!(kinds(&recorded)[0], "attempts_limited");
    assert_eq!(recorded[0].session_id.as_ref(), Some(&alice.session.id));
    limited.stop().await;
}

async fn a_data_export_is_recorded(world: &World) {
    let alice = world.alice().await;
    exported(&alice).await.expect("a document");
    let recorded = so_many(&alice, 2).await;
    assert_eq!(kinds(&recorded), ["data_exported", "signed_up"]);
    // And in the document of the next time it stands, too.
    let document = exported(&alice).await.expect("a document");
    let document: serde_json::Value = serde_json::from_slice(&document).expect("JSON");
    let events = document["security_events"].as_array().expect("a list");
    assert_eq!(events.iter().filter(|event| event["kind"] == "signed_up").count(), 1);
    assert!(events.iter().any(|event| event["id"] == recorded[0].id.as_str()));
}

async fn a_replaced_token_that_was_used_again_is_recorded(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    let refreshed = alice.sessions().refresh_session(RefreshSessionRequest {}).await;
    refreshed.expect("a successor");
    clock.advance(TimeDelta::minutes(1));
    let again = alice.sessions().get_session(GetSessionRequest {}).await;
    again.refused(Code::Unauthenticated, "INVALID_SESSION");
    let back = world.stranger().sign_in(ALICE).await;
    let recorded = so_many(&back, 3).await;
    assert_eq!(kinds(&recorded), ["sign_in_succeeded", "session_token_reused", "signed_up"]);
    assert_eq!(recorded[1].session_id.as_ref(), Some(&alice.session.id));
}
