//! Sign-up: a new account.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use tonic::Code;

use crate::{
    answer::{Refused, reason},
    caller::{PASSWORD, application},
    scenarios::in_both_worlds,
    wire::Difference,
    world::World,
};

in_both_worlds!(
    a_new_user_can_sign_in_and_is_the_same_user,
    every_spelling_of_an_address_is_one_account,
    of_fifty_sign_ups_of_one_address_at_once_one_wins,
    every_fault_is_listed_at_once_by_field,
    passwords_are_8_to_128_units_long_and_never_cut,
    a_common_password_is_refused,
    a_name_that_looks_like_sql_is_only_a_name,
    control_characters_are_refused_where_text_is_shown,
);

async fn a_new_user_can_sign_in_and_is_the_same_user(world: &World) {
    let mut application = application("ada@example.com", PASSWORD);
    application.name = "Ада 😀".into();
    application.image = Some("https://example.com/ada.png".into());
    let stranger = world.stranger();
    let answer = stranger.accounts().sign_up(application).await.expect("signs up").into_inner();

    let user = answer.user.expect("a user");
    assert_eq!((user.email.as_str(), user.name.as_str()), ("ada@example.com", "Ада 😀"));
    assert_eq!(user.image.as_deref(), Some("https://example.com/ada.png"));
    assert!(!user.email_verified);
    assert_eq!(answer.session_token.len(), 32);
    let session = answer.session.expect("a session");
    assert_eq!(session.user_id, user.id);
    assert!(session.current);
    assert_eq!(session.ip_address.as_deref(), Some("127.0.0.1"));

    let again = stranger.sign_in("ada@example.com").await;
    assert_eq!(again.user, user);
    assert_ne!(again.session_token, answer.session_token);
    assert_ne!(again.session.id, session.id);
}

async fn every_spelling_of_an_address_is_one_account(world: &World) {
    let stranger = world.stranger();
    let first = stranger.sign_up("Ada@Example.COM").await;
    assert_eq!(first.user.email, "ada@example.com");
    for spelling in ["ada@example.com", "ADA@EXAMPLE.COM", "  ada@example.com\t"] {
        let taken = stranger.accounts().sign_up(application(spelling, PASSWORD)).await;
        let is_trimmed = spelling.trim() == spelling;
        if world.differs(Difference::EmailsAreNotTrimmed) && !is_trimmed {
            assert_eq!(taken.faulty(), ["email"], "{spelling:?}");
            let signed_in = stranger.try_sign_in(spelling, PASSWORD).await;
            assert_eq!(signed_in.faulty(), ["email"], "{spelling:?}");
            continue;
        }
        taken.refused(Code::AlreadyExists, "EMAIL_TAKEN");
        assert_eq!(stranger.sign_in(spelling).await.id(), first.id(), "{spelling:?}");
    }
}

async fn of_fifty_sign_ups_of_one_address_at_once_one_wins(world: &World) {
    let stranger = world.stranger();
    let answers =
        join_all(
            (0..50).map(|_| {
                let stranger = stranger.clone();
                async move {
                    stranger.accounts().sign_up(application("ada@example.com", PASSWORD)).await
                }
            }),
        )
        .await;
    let mut counted = BTreeMap::new();
    for answer in answers {
        let said = match answer {
            Ok(_) => "OK".to_owned(),
            Err(status) => format!("{:?} {}", status.code(), reason(&status)),
        };
        *counted.entry(said).or_insert(0) += 1;
    }
    // Few passwords are hashed at a time: the other calls are refused before any work.
    assert_eq!(counted.remove("OK"), Some(1), "{counted:?}");
    counted.remove("AlreadyExists EMAIL_TAKEN");
    counted.remove("Unavailable BUSY");
    assert!(counted.is_empty(), "{counted:?}");

    let rows: Vec<String> = world.auth_table("user").await.column("email").await;
    assert_eq!(rows, ["ada@example.com"]);
    assert_eq!(world.auth_table("session").await.column::<String>("id").await.len(), 1);
    stranger.sign_in("ada@example.com").await;
}

async fn every_fault_is_listed_at_once_by_field(world: &World) {
    let mut application = application("no address", "short");
    application.name = "two\nlines".into();
    application.image = Some("x".repeat(2049));
    let mut accounts = world.stranger().accounts();
    let faulty = accounts.sign_up(application).await.faulty();
    let expected: &[&str] = if world.differs(Difference::PasswordRulesComeAfterAllOthers) {
        &["name", "email", "image"]
    } else {
        &["email", "password", "name", "image"]
    };
    assert_eq!(faulty, expected);
    let faulty = accounts.sign_up(super::caller::application("", "")).await.faulty();
    assert_eq!(faulty, ["email", "password"]);
}

async fn passwords_are_8_to_128_units_long_and_never_cut(world: &World) {
    let stranger = world.stranger();
    let long = |end: char| format!("{}{end}", "tulips and rain ".repeat(8).split_at(127).0);
    for (password, accepted) in
        [("7hJq!pZ".to_owned(), false), (long('a') + "x", false), ("7hJq!pZw".to_owned(), true)]
    {
        let mut accounts = stranger.accounts();
        let answer = accounts.sign_up(application("short@example.com", &password)).await;
        if accepted {
            answer.expect("neither short nor long");
        } else {
            assert_eq!(answer.faulty(), ["password"], "{}", password.len());
        }
    }
    let (one, other) = (long('a'), long('b'));
    assert_eq!(one.len(), 128);
    let answer = stranger.accounts().sign_up(application("long@example.com", &one)).await;
    answer.expect("short enough");
    assert!(stranger.try_sign_in("long@example.com", &one).await.is_ok());
    let twin = stranger.try_sign_in("long@example.com", &other).await;
    twin.refused(Code::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD");
}

async fn a_common_password_is_refused(world: &World) {
    let mut accounts = world.stranger().accounts();
    for password in ["password", "Password1!", "qwertyuiop", "ada.lovelace"] {
        let answer = accounts.sign_up(application("ada.lovelace@example.com", password)).await;
        assert_eq!(answer.faulty(), ["password"], "{password}");
    }
    assert!(world.auth_table("user").await.column::<String>("id").await.is_empty());
}

async fn a_name_that_looks_like_sql_is_only_a_name(world: &World) {
    let stranger = world.stranger();
    let name = r#"'; DROP TABLE "user"; -- {{7*7}} %n $1 \"#;
    let mut application = application("o'brien@example.com", "' OR 1=1 -- tulips");
    application.name = name.into();
    let answer = stranger.accounts().sign_up(application).await.expect("signs up").into_inner();
    assert_eq!(answer.user.expect("a user").name, name);
    let again = stranger.try_sign_in("o'brien@example.com", "' OR 1=1 -- tulips").await;
    assert_eq!(again.expect("signs in").user.name, name);
    let wrong = stranger.try_sign_in("o'brien@example.com", "' OR 1=1 --").await;
    wrong.refused(Code::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD");
}

async fn control_characters_are_refused_where_text_is_shown(world: &World) {
    let stranger = world.stranger();
    for (email, name, faulty) in [
        ("a\0da@example.com", "Ada", "email"),
        ("ada@example.com\u{1b}[31m", "Ada", "email"),
        ("ada@example.com", "A\0da", "name"),
        ("ada@example.com", "A\u{1b}[31mda", "name"),
    ] {
        let mut application = application(email, PASSWORD);
        application.name = name.into();
        let answer = stranger.accounts().sign_up(application).await;
        assert_eq!(answer.faulty(), [faulty], "{email:?} {name:?}");
    }
    // A password is never shown and never stored as it is: any text will do.
    let password = "tu\0lips\u{7}and rain";
    let answer = stranger.accounts().sign_up(application("ada@example.com", password)).await;
    answer.expect("signs up");
    stranger.try_sign_in("ada@example.com", password).await.expect("signs in");
}
