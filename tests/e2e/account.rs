//! Account calls of a signed-in user.

use proto::auth::v1::{
    ChangePasswordRequest, ChangePasswordResponse, DeleteUserRequest, GetSessionRequest,
    UpdateUserRequest, User, VerifyPasswordRequest,
};
use tonic::{Code, Status};

use crate::{
    answer::Refused,
    caller::{PASSWORD, SignedIn},
    scenarios::in_both_worlds,
    wire::Difference,
    world::World,
};

const OTHER: &str = "a harbour in the fog";

in_both_worlds!(
    an_update_changes_what_is_set_and_nothing_else,
    every_faulty_field_of_an_update_is_named_and_nothing_is_written,
    a_password_is_changed_with_the_current_one,
    a_change_of_password_can_end_every_session_and_open_a_new_one,
    a_password_can_be_verified,
    a_deleted_account_is_gone_as_if_it_had_never_been,
);

async fn update(caller: &SignedIn, request: UpdateUserRequest) -> Result<User, Status> {
    let answer = caller.sessions().update_user(request).await?;
    Ok(answer.into_inner().user.expect("a user"))
}

async fn an_update_changes_what_is_set_and_nothing_else(world: &World) {
    let alice = world.alice().await;
    let bob = world.bob().await;
    let image = |address: &str| UpdateUserRequest { name: None, image: Some(address.into()) };
    let pictured = update(&alice, image("https://example.com/a.png")).await.expect("updated");
    assert_eq!(pictured.image.as_deref(), Some("https://example.com/a.png"));
    assert_eq!(pictured.name, alice.user.name);

    let name = UpdateUserRequest { name: Some("Alice 😀".into()), image: None };
    let named = update(&alice, name).await.expect("updated");
    assert_eq!(named.name, "Alice 😀");
    assert_eq!(named.image, pictured.image);

    let bare = update(&alice, image("")).await.expect("updated");
    assert_eq!((bare.image.as_deref(), bare.name.as_str()), (None, "Alice 😀"));
    let expected =
        User { name: bare.name.clone(), updated_at: bare.updated_at, ..alice.user.clone() };
    assert!(bare == expected);

    let seen = alice.sessions().get_session(GetSessionRequest {}).await.expect("a session");
    assert!(seen.into_inner().user == Some(bare));
    let seen = bob.sessions().get_session(GetSessionRequest {}).await.expect("a session");
    assert!(seen.into_inner().user == Some(bob.user.clone()));
}

async fn every_faulty_field_of_an_update_is_named_and_nothing_is_written(world: &World) {
    let alice = world.alice().await;
    let faulty = UpdateUserRequest { name: Some("a\nb".into()), image: Some("x".repeat(2049)) };
    assert_eq!(update(&alice, faulty).await.faulty(), ["name", "image"]);
    assert_eq!(update(&alice, UpdateUserRequest::default()).await.faulty().len(), 1);
    let seen = alice.sessions().get_session(GetSessionRequest {}).await.expect("a session");
    assert!(seen.into_inner().user == Some(alice.user.clone()));
}

async fn change(
    caller: &SignedIn,
    current: &str,
    new: &str,
    revoke: bool,
) -> Result<ChangePasswordResponse, Status> {
    let request = ChangePasswordRequest {
        current_password: current.into(),
        new_password: new.into(),
        revoke_other_sessions: revoke,
    };
    Ok(caller.sessions().change_password(request).await?.into_inner())
}

async fn a_password_is_changed_with_the_current_one(world: &World) {
    let alice = world.alice().await;
    let there = world.stranger().sign_in("alice@example.com").await;
    let wrong = change(&alice, "tulips and sun", OTHER, true).await;
    wrong.refused(Code::InvalidArgument, "INVALID_PASSWORD");
    assert_eq!(change(&alice, PASSWORD, "password", true).await.faulty(), ["new_password"]);
    let faulty: &[&str] = if world.differs(Difference::PasswordRulesComeAfterAllOthers) {
        &["new_password"]
    } else {
        &["current_password", "new_password"]
    };
    assert_eq!(change(&alice, "", "short", true).await.faulty(), faulty);
    world.stranger().sign_in("alice@example.com").await;

    let changed = change(&alice, PASSWORD, OTHER, false).await.expect("changed");
    assert_eq!(changed.session_token, None);
    assert!(alice.session_lives().await && there.session_lives().await);
    let old = world.stranger().try_sign_in("alice@example.com", PASSWORD).await;
    old.refused(Code::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD");
    world.stranger().try_sign_in("alice@example.com", OTHER).await.expect("signs in");
}

async fn a_change_of_password_can_end_every_session_and_open_a_new_one(world: &World) {
    let alice = world.alice().await;
    let there = world.stranger().sign_in("alice@example.com").await;
    let changed = change(&alice, PASSWORD, OTHER, true).await.expect("changed");
    let session_token = changed.session_token.expect("a new session");
    assert!(!alice.session_lives().await && !there.session_lives().await);
    let renewed = SignedIn { session_token, ..alice };
    assert!(renewed.session_lives().await);
    assert_eq!(world.auth_table("session").await.column::<String>("id").await.len(), 1);
}

async fn a_password_can_be_verified(world: &World) {
    let alice = world.alice().await;
    let verify = async |password: &str| {
        let request = VerifyPasswordRequest { password: password.into() };
        alice.sessions().verify_password(request).await
    };
    verify(PASSWORD).await.expect("hers");
    verify("tulips and sun").await.refused(Code::InvalidArgument, "INVALID_PASSWORD");
    if world.differs(Difference::EmptyPasswordsAreWrong) {
        verify("").await.refused(Code::InvalidArgument, "INVALID_PASSWORD");
    } else {
        assert_eq!(verify("").await.faulty(), ["password"]);
    }
    assert_eq!(verify(&"x".repeat(129)).await.faulty(), ["password"]);
}

async fn a_deleted_account_is_gone_as_if_it_had_never_been(world: &World) {
    let alice = world.alice().await;
    let bob = world.bob().await;
    let stranger = world.stranger();
    let there = stranger.sign_in("alice@example.com").await;
    let delete = async |password: Option<&str>| {
        let request = DeleteUserRequest { password: password.map(str::to_owned) };
        alice.sessions().delete_user(request).await
    };
    delete(Some("tulips and sun")).await.refused(Code::InvalidArgument, "INVALID_PASSWORD");
    assert!(alice.session_lives().await);

    delete(Some(PASSWORD)).await.expect("deleted");
    assert!(!alice.session_lives().await && !there.session_lives().await);
    let gone = stranger.try_sign_in("alice@example.com", PASSWORD).await.answer();
    let unknown = stranger.try_sign_in("nobody@example.com", PASSWORD).await.answer();
    assert_eq!(gone, unknown);
    for table in ["account", "session"] {
        let left: Vec<String> = world.auth_table(table).await.column("userId").await;
        assert_eq!(left, [bob.id()], "{table}");
    }

    let again = world.alice().await;
    assert_ne!(again.id(), alice.id());
    // A fresh session is enough where no password is given.
    let request = DeleteUserRequest { password: None };
    again.sessions().delete_user(request).await.expect("deleted");
    assert!(bob.session_lives().await);
}
