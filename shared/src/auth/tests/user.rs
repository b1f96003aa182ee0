//! The user of a token (rules T16, T17).

use chrono::DateTime;

use super::forge::{assert_refused, token, verdict};
use crate::auth::{
    Principal,
    Refusal::{self, ForbiddenUserAccess, MalformedToken, MissingUidClaim},
    UserId,
};

/// T16.
#[test]
fn the_subject_is_a_string_that_can_be_an_id() {
    let quoted = |text: &str| format!("\"{text}\"");
    for sub in [
        String::new(),
        "null".to_owned(),
        "1".to_owned(),
        "1.5".to_owned(),
        "true".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        r#"["alice"]"#.to_owned(),
        r#"{"id":"alice"}"#.to_owned(),
        quoted(""),
        quoted("\\u0000"),
        quoted("alice\\u0000"),
        quoted("alice\\n"),
        quoted("\\u001balice"),
        quoted("alice\\u007f"),
        quoted("alice\\u0085"),
        quoted(&"x".repeat(256)),
        quoted(&"é".repeat(128)),
    ] {
        assert_refused(&format!("T16: {sub}"), &token(&[("sub", &sub)]), MissingUidClaim);
    }
    for surrogate in ["\\ud800", "\\udc00", "alice\\ud83d", "\\ud83dx"] {
        let token = token(&[("sub", &quoted(surrogate))]);
        assert_refused(&format!("T16: {surrogate}"), &token, MalformedToken);
    }
    for (sub, id) in [
        (quoted("alice"), "alice"),
        (quoted("\\u0061lice"), "alice"),
        (quoted("1"), "1"),
        (quoted("null"), "null"),
        (quoted("\\ud83d\\ude00"), "\u{1f600}"),
        (quoted(&"x".repeat(255)), &"x".repeat(255)),
        (quoted(&"é".repeat(127)), &"é".repeat(127)),
    ] {
        assert_eq!(verdict(&token(&[("sub", &sub)])).as_deref(), Ok(id), "T16: {sub}");
    }
}

/// T16. A name similar to alice's is another user, never alice.
#[test]
fn a_look_alike_is_another_user() {
    for sub in [
        "Alice",
        "ALICE",
        "alice ",
        " alice",
        "alice\u{200b}",
        "\u{feff}alice",
        "аlice",
        "alicé",
        "alicе",
        "alic",
        "alicee",
        "alice/",
        "alice%00",
    ] {
        let user = verdict(&token(&[("sub", &format!("\"{sub}\""))])).expect("somebody");
        let principal = Principal::new(UserId::parse(&user).expect("an id"), DateTime::UNIX_EPOCH);
        assert_eq!(principal.owning("alice"), Err(ForbiddenUserAccess), "T16: {sub:?}");
        assert!(principal.owning(sub).is_ok(), "T16: {sub:?}");
    }
    // The same letters in two normal forms.
    assert_ne!(
        verdict(&token(&[("sub", "\"\u{e9}\"")])),
        verdict(&token(&[("sub", "\"e\u{301}\"")]))
    );
}

/// T17, as decided here: `uid` is the second name of `sub`, for tokens that have no
/// `sub`; a token that has both must mean one user, and a broken one is not filled in.
#[test]
fn uid_stands_in_for_an_absent_subject_and_never_against_one() {
    let cases: [(&str, &str, Result<&str, Refusal>); 14] = [
        ("\"alice\"", "\"alice\"", Ok("alice")),
        ("\"alice\"", "", Ok("alice")),
        ("", "\"alice\"", Ok("alice")),
        ("", "", Err(MissingUidClaim)),
        ("\"alice\"", "\"bob\"", Err(MissingUidClaim)),
        ("\"alice\"", "\"Alice\"", Err(MissingUidClaim)),
        ("\"alice\"", "\"\"", Err(MissingUidClaim)),
        ("\"alice\"", "null", Err(MissingUidClaim)),
        ("\"alice\"", "1", Err(MissingUidClaim)),
        ("null", "\"alice\"", Err(MissingUidClaim)),
        ("1", "\"alice\"", Err(MissingUidClaim)),
        ("\"\"", "\"alice\"", Err(MissingUidClaim)),
        ("", "[\"alice\"]", Err(MissingUidClaim)),
        ("", "\"alice\\u0000\"", Err(MissingUidClaim)),
    ];
    for (sub, uid, expected) in cases {
        let verdict = verdict(&token(&[("sub", sub), ("uid", uid)]));
        assert_eq!(verdict.as_deref(), expected.as_ref().copied(), "T17: sub {sub}, uid {uid}");
    }
}

/// T17.
#[test]
fn no_other_claim_names_the_user() {
    for name in ["id", "user_id", "userId", "user", "email", "name", "username", "Sub", "UID"] {
        let alone = token(&[("sub", ""), (name, "\"alice\"")]);
        assert_refused(&format!("T17: {name} alone"), &alone, MissingUidClaim);
        let beside = token(&[(name, "\"bob\"")]);
        assert_eq!(verdict(&beside).as_deref(), Ok("alice"), "T17: {name} beside");
    }
    let nested = token(&[("sub", ""), ("user", r#"{"id":"alice","sub":"alice"}"#)]);
    assert_refused("T17: nested", &nested, MissingUidClaim);
}

/// T20. Services are not users, however a token spells them.
#[test]
fn a_service_is_never_a_user() {
    let service = "\"service:auth-service\"";
    for changes in [
        vec![("sub", service)],
        vec![("sub", ""), ("uid", service)],
        vec![("sub", service), ("uid", service)],
        vec![("sub", "\"service:\"")],
        vec![("sub", "\"\\u0073ervice:x\"")],
    ] {
        assert_refused(&format!("{changes:?}"), &token(&changes), MissingUidClaim);
    }
    for name in ["service", "services:x", "my-service:x"] {
        let verdict = verdict(&token(&[("sub", &format!("\"{name}\""))]));
        assert_eq!(verdict.as_deref(), Ok(name));
    }
}
