//! Sign-in to an account.

use tonic::Code;

use crate::{
    answer::Refused, caller::PASSWORD, scenarios::in_both_worlds, wire::Difference, world::World,
};

in_both_worlds!(
    a_wrong_password_and_an_unknown_address_get_the_same_answer_to_the_byte,
    what_cannot_be_a_credential_is_named_by_field,
    sql_in_a_credential_opens_nothing,
    a_refused_sign_in_opens_no_session,
);

async fn a_wrong_password_and_an_unknown_address_get_the_same_answer_to_the_byte(world: &World) {
    world.alice().await;
    let stranger = world.stranger();
    let wrong = stranger.try_sign_in("alice@example.com", "tulips and sun").await;
    let wrong = wrong.status();
    assert_eq!(wrong.code(), Code::Unauthenticated);
    assert_eq!(wrong.message(), "Invalid email or password");
    let wrong = Err::<(), _>(wrong).answer();
    for nobody in ["nobody@example.com", "alice@example.org"] {
        let unknown = stranger.try_sign_in(nobody, PASSWORD).await.answer();
        assert_eq!(unknown, wrong, "{nobody:?}");
    }
    for text in ["no address", "alice@example.com\0"] {
        let answer = stranger.try_sign_in(text, PASSWORD).await;
        if world.differs(Difference::SignInNamesMalformedEmails) {
            assert_eq!(answer.faulty(), ["email"], "{text:?}");
        } else {
            assert_eq!(answer.answer(), wrong, "{text:?}");
        }
    }
}

async fn what_cannot_be_a_credential_is_named_by_field(world: &World) {
    world.alice().await;
    let stranger = world.stranger();
    let faulty: &[&str] = if world.differs(Difference::PasswordRulesComeAfterAllOthers) {
        &["email"]
    } else {
        &["email", "password"]
    };
    assert_eq!(stranger.try_sign_in("", "").await.faulty(), faulty);
    let long = "x".repeat(129);
    assert_eq!(stranger.try_sign_in("alice@example.com", &long).await.faulty(), ["password"]);
    let long = format!("{}@example.com", "x".repeat(250));
    assert_eq!(stranger.try_sign_in(&long, PASSWORD).await.faulty(), ["email"]);
}

async fn sql_in_a_credential_opens_nothing(world: &World) {
    world.alice().await;
    let stranger = world.stranger();
    for text in ["' OR '1'='1", "alice@example.com' --", "\"; DELETE FROM session; --"] {
        let answer = stranger.try_sign_in(text, PASSWORD).await;
        if world.differs(Difference::SignInNamesMalformedEmails) {
            assert_eq!(answer.faulty(), ["email"], "{text:?}");
        } else {
            answer.refused(Code::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD");
        }
        let answer = stranger.try_sign_in("alice@example.com", text).await;
        answer.refused(Code::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD");
    }
    stranger.sign_in("alice@example.com").await;
}

async fn a_refused_sign_in_opens_no_session(world: &World) {
    world.alice().await;
    let sessions = world.auth_table("session").await;
    assert_eq!(sessions.column::<String>("id").await.len(), 1);
    let answer = world.stranger().try_sign_in("alice@example.com", "tulips and sun").await;
    answer.refused(Code::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD");
    assert_eq!(sessions.column::<String>("id").await.len(), 1);
}
