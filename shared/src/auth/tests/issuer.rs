//! Issued tokens, read back by hand and by the verifier.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::forge::{
    NOW, SECRET, URL, b64, clock, hex, mac, policy, user_of, verifier, verifier_with,
};
use crate::{
    auth::{IssueError, Keyring, Profile, TokenIssuer, TokenPolicy, UserId},
    clock::ManualClock,
};

const TTL: Duration = Duration::from_mins(15);

fn issuer(policy: TokenPolicy) -> TokenIssuer {
    issuer_at(clock(), policy, TTL)
}

fn issuer_at(clock: Arc<ManualClock>, policy: TokenPolicy, ttl: Duration) -> TokenIssuer {
    let keys = Arc::new(Keyring::of_bytes(SECRET.as_bytes(), std::iter::empty()));
    TokenIssuer::new(keys, policy, ttl, clock)
}

/// Header and payload of `token`, and whether its tag is valid.
fn open(token: &str) -> (Value, Value, bool) {
    let (message, tag) = token.rsplit_once('.').expect("a tag");
    let (header, payload) = message.split_once('.').expect("two parts");
    let read = |part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    (read(header), read(payload), tag == b64(mac(SECRET, message)))
}

#[test]
fn header_and_claims_are_these_and_no_others() {
    let profile = Profile {
        session_id: Some("session-1"),
        email: Some("alice@example.com"),
        name: Some("Alice \u{1f600} \"A\""),
    };
    let issued =
        issuer(policy()).issue(&UserId::parse("alice").expect("an id"), profile).expect("a token");
    let (header, payload, authentic) = open(&issued.token);
    let digest = Sha256::digest(format!("kid{SECRET}"));
    assert_eq!(header, json!({ "alg": "HS256", "typ": "JWT", "kid": hex(&digest[..4]) }));
    assert_eq!(
        payload,
        json!({
            "sub": "alice", "uid": "alice", "iss": URL, "aud": URL,
            "iat": NOW, "exp": NOW + 900,
            "sid": "session-1", "email": "alice@example.com", "name": "Alice \u{1f600} \"A\"",
        })
    );
    assert!(authentic);
    assert_eq!(issued.expires_at.timestamp(), NOW + 900);
    assert_eq!(issued.expires_at.timestamp_subsec_nanos(), 0);
}

#[test]
fn what_is_not_known_or_not_checked_is_left_out() {
    let mut open_policy = policy();
    (open_policy.issuer, open_policy.audience) = (None, None);
    let issued = issuer(open_policy.clone())
        .issue(&UserId::parse("alice").expect("an id"), Profile::default())
        .expect("a token");
    let (_, payload, _) = open(&issued.token);
    let bare = json!({ "sub": "alice", "uid": "alice", "iat": NOW, "exp": NOW + 900 });
    assert_eq!(payload, bare);
    let verifier = verifier_with(&[SECRET.as_bytes()], open_policy, clock());
    assert_eq!(user_of(&verifier, &issued.token).as_deref(), Ok("alice"));
}

#[test]
fn every_id_comes_back_byte_for_byte() {
    let (issuer, verifier) = (issuer(policy()), verifier());
    for id in ["alice", "xbnptV22pO4RmFmMnZWIg06pqeOYJwnR", "ада", "a\"b\\c/d", " ", "\u{1f600}"]
    {
        let token = issuer
            .issue(&UserId::parse(id).expect("an id"), Profile::default())
            .expect("a token")
            .token;
        assert_eq!(user_of(&verifier, &token).as_deref(), Ok(id));
    }
    let longest = "x".repeat(255);
    let token = issuer
        .issue(&UserId::parse(&longest).expect("an id"), Profile::default())
        .expect("a token")
        .token;
    assert_eq!(user_of(&verifier, &token), Ok(longest));
}

/// A clock between two seconds must not make a token that is dated ahead or that lives
/// longer than it says.
#[test]
fn times_are_whole_seconds_rounded_down() {
    let clock = clock();
    clock.advance(chrono::TimeDelta::milliseconds(999));
    let issued = issuer_at(clock, policy(), TTL)
        .issue(&UserId::parse("alice").expect("an id"), Profile::default())
        .expect("a token");
    let (_, payload, _) = open(&issued.token);
    assert_eq!((&payload["iat"], &payload["exp"]), (&json!(NOW), &json!(NOW + 900)));
}

/// A token that no verifier would accept is an error of the issuer.
#[test]
fn a_token_that_nobody_would_accept_is_not_made() {
    let alice = UserId::parse("alice").expect("an id");
    for lifetime in [policy().max_lifetime + Duration::from_secs(1), Duration::MAX] {
        let refused = issuer_at(clock(), policy(), lifetime).issue(&alice, Profile::default());
        assert!(matches!(refused, Err(IssueError::TooLong(_))));
    }
    let name = "x".repeat(8 * 1024);
    let large = Profile { name: Some(&name), ..Profile::default() };
    let refused = issuer_at(clock(), policy(), TTL).issue(&alice, large);
    assert!(matches!(refused, Err(IssueError::TooLarge)));
}
