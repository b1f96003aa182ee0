//! Issuer and audience of a token (RFC 8725 sections 3.8 and 3.9; rules T18, T19).

use super::forge::{
    SECRET, URL, assert_passes, assert_refused, clock, policy, token, user_of, verifier_with,
};
use crate::auth::Refusal::{InvalidAudience, InvalidIssuer};

/// Values close to the address, but different; as JSON.
const NEAR: [&str; 16] = [
    "",
    "null",
    "1",
    "true",
    "{}",
    r#"{"https://app.example.com":1}"#,
    r#""""#,
    r#""https://app.example.com/""#,
    r#""https://app.example.com.evil.example""#,
    r#""https://app.example.co""#,
    r#""https://APP.example.com""#,
    r#""http://app.example.com""#,
    r#""app.example.com""#,
    r#"" https://app.example.com""#,
    r#""https://app.example.com\u0000""#,
    r#""https://evil.example https://app.example.com""#,
];

/// T18.
#[test]
fn the_issuer_is_one_string_and_exact() {
    let lists =
        [r#"["https://app.example.com"]"#, r#"["https://evil.example","https://app.example.com"]"#];
    for iss in NEAR.into_iter().chain(lists).chain(["[]"]) {
        assert_refused(&format!("T18: {iss}"), &token(&[("iss", iss)]), InvalidIssuer);
    }
    assert_passes("T18: escaped", &token(&[("iss", r#""https:\/\/app.example.com""#)]));
}

/// T19.
#[test]
fn the_audience_is_or_contains_the_exact_string() {
    let lists = [
        "[]",
        "[null]",
        r#"[["https://app.example.com"]]"#,
        r#"["https://app.example.com/"]"#,
        r#"["https://evil.example"]"#,
        // One entry of a wrong type spoils the list.
        r#"["https://app.example.com",1]"#,
        r#"[null,"https://app.example.com"]"#,
        r#"[["https://app.example.com"],"https://app.example.com"]"#,
    ];
    for aud in NEAR.into_iter().chain(lists) {
        assert_refused(&format!("T19: {aud}"), &token(&[("aud", aud)]), InvalidAudience);
    }
    for aud in [
        r#"["https://app.example.com"]"#,
        r#"["https://other.example","https://app.example.com"]"#,
        r#"["https://app.example.com","https://app.example.com"]"#,
    ] {
        assert_passes(&format!("T19: {aud}"), &token(&[("aud", aud)]));
    }
}

/// Each check can be switched off, alone: then its claim may be anything, and the other's
/// may not.
#[test]
fn a_check_that_is_off_leaves_the_other_on() {
    let (mut no_issuer, mut no_audience, mut neither) = (policy(), policy(), policy());
    no_issuer.issuer = None;
    no_audience.audience = None;
    (neither.issuer, neither.audience) = (None, None);
    for json in ["", "null", "1", "[]", r#""https://evil.example""#] {
        let (iss, aud) = (token(&[("iss", json)]), token(&[("aud", json)]));
        let both = token(&[("iss", json), ("aud", json)]);
        for (policy, token, expected) in [
            (&no_issuer, &iss, None),
            (&no_issuer, &aud, Some(InvalidAudience)),
            (&no_issuer, &both, Some(InvalidAudience)),
            (&no_audience, &aud, None),
            (&no_audience, &iss, Some(InvalidIssuer)),
            (&no_audience, &both, Some(InvalidIssuer)),
            (&neither, &both, None),
        ] {
            let verifier = verifier_with(&[SECRET.as_bytes()], policy.clone(), clock());
            let verdict = user_of(&verifier, token).err();
            assert_eq!(verdict, expected, "{json}: {policy:?}");
        }
    }
    assert_eq!(policy().issuer.as_deref(), Some(URL));
}
