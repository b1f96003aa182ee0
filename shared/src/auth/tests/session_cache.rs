//! Session caches of a Better Auth server (cookie cache, strategy "jwt") as bearer tokens.

use std::sync::Arc;

use chrono::DateTime;

use super::forge::{NOW, SECRET, URL, b64, clock, mac, payload, policy, seal, seal_with, token};
use crate::auth::{
    Keyring, Profile,
    Refusal::{
        self, InvalidAudience, InvalidTokenSignature, MalformedToken, MissingUidClaim,
        TokenExpired, TokenNotYetValid,
    },
    ServiceTokenIssuer, TokenIssuer, TokenPolicy, TokenVerifier, Trust, UserId,
};

const HEADER: &str = r#"{"alg":"HS256"}"#;
const SESSION: &str = r#"{"expiresAt":"2100-01-01T00:00:00.000Z","token":"R01XE2wXUOny3PVN8O7aw6zfeBOjaDoi","createdAt":"2027-01-01T00:00:00.000Z","userId":"alice","id":"s1"}"#;
const USER: &str = r#"{"name":"Alice","email":"alice@example.com","emailVerified":false,"image":null,"id":"alice"}"#;

/// A good payload with some members replaced or added; an empty text leaves one out.
fn cache(changes: &[(&str, &str)]) -> String {
    let (iat, exp, updated) = (NOW.to_string(), (NOW + 300).to_string(), format!("{NOW}000"));
    let mut members = vec![
        ("session", SESSION),
        ("user", USER),
        ("updatedAt", updated.as_str()),
        ("version", "\"1\""),
        ("iat", iat.as_str()),
        ("exp", exp.as_str()),
    ];
    for &(name, json) in changes {
        match members.iter_mut().find(|member| member.0 == name) {
            Some(member) => member.1 = json,
            None => members.push((name, json)),
        }
    }
    let members: Vec<_> = members
        .iter()
        .filter(|(_, json)| !json.is_empty())
        .map(|(name, json)| format!("\"{name}\":{json}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn verifier() -> TokenVerifier {
    let keys = Arc::new(Keyring::of_bytes(SECRET.as_bytes(), std::iter::empty()));
    let policy = TokenPolicy { issuer: None, audience: None, ..policy() };
    TokenVerifier::trusting(Trust::SessionCache(keys), policy, clock())
}

fn verdict(token: &str) -> Result<String, Refusal> {
    verifier().verify(token).map(|principal| principal.user().to_string())
}

fn verdict_on(changes: &[(&str, &str)]) -> Result<String, Refusal> {
    verdict(&seal(HEADER, cache(changes)))
}

#[test]
fn the_user_is_the_one_of_the_session() {
    assert_eq!(verdict_on(&[]).as_deref(), Ok("alice"));
    assert_eq!(verdict_on(&[("sub", "\"alice\"")]).as_deref(), Ok("alice"), "as ours has it");
    assert_eq!(verdict_on(&[("email", "\"a@example.com\"")]).as_deref(), Ok("alice"));
}

#[test]
fn both_halves_name_one_user_or_there_is_none() {
    for (case, changes) in [
        ("no session", vec![("session", "")]),
        ("no user", vec![("user", "")]),
        ("neither, but a subject", vec![("session", ""), ("user", ""), ("sub", "\"alice\"")]),
        ("null", vec![("session", "null")]),
        ("a text", vec![("user", "\"alice\"")]),
        ("a list", vec![("user", r#"["alice"]"#)]),
        ("bob's session", vec![("user", r#"{"id":"bob"}"#)]),
        ("another case", vec![("user", r#"{"id":"Alice"}"#)]),
        ("a number", vec![("user", r#"{"id":1}"#)]),
        ("twice", vec![("user", r#"{"id":"bob","id":"alice"}"#)]),
        ("no id", vec![("user", r#"{"name":"alice"}"#)]),
        ("no user id", vec![("session", r#"{"expiresAt":"2100-01-01T00:00:00.000Z"}"#)]),
        ("no end", vec![("session", r#"{"userId":"alice"}"#)]),
        ("no date", vec![("session", r#"{"userId":"alice","expiresAt":4102444800000}"#)]),
        ("another subject", vec![("sub", "\"bob\"")]),
        ("a subject of another type", vec![("sub", "1")]),
        ("another uid", vec![("uid", "\"bob\"")]),
        (
            "both empty",
            vec![
                ("user", r#"{"id":""}"#),
                ("session", r#"{"userId":"","expiresAt":"2100-01-01T00:00:00.000Z"}"#),
            ],
        ),
        (
            "a service",
            vec![
                ("user", r#"{"id":"service:auth-service"}"#),
                (
                    "session",
                    r#"{"userId":"service:auth-service","expiresAt":"2100-01-01T00:00:00.000Z"}"#,
                ),
            ],
        ),
    ] {
        assert_eq!(verdict_on(&changes), Err(MissingUidClaim), "{case}");
    }
    // Named twice at the top, where one reader takes the first and another the last.
    let twice = cache(&[]).replacen('{', r#"{"user":{"id":"bob"},"#, 1);
    assert_eq!(verdict(&seal(HEADER, twice)), Err(MissingUidClaim));
}

#[test]
fn a_session_that_is_over_is_no_session() {
    let at = |seconds: i64| {
        let end = DateTime::from_timestamp(NOW + seconds, 0).expect("a time").to_rfc3339();
        verdict_on(&[("session", &format!(r#"{{"userId":"alice","expiresAt":"{end}"}}"#))])
    };
    assert_eq!(at(1).as_deref(), Ok("alice"));
    assert_eq!(at(-14).as_deref(), Ok("alice"), "within the leeway");
    assert_eq!(at(-15), Err(TokenExpired));
    assert_eq!(verdict_on(&[("exp", &(NOW - 15).to_string())]), Err(TokenExpired));
    assert_eq!(verdict_on(&[("exp", "")]), Err(MalformedToken));
    assert_eq!(verdict_on(&[("iat", &(NOW + 16).to_string())]), Err(TokenNotYetValid));
    assert_eq!(verdict_on(&[("exp", &(NOW + 8 * 86400).to_string())]), Err(MalformedToken));
}

#[test]
fn a_call_may_last_no_longer_than_token_and_session() {
    let end = |session_seconds: i64| {
        let end = DateTime::from_timestamp(NOW + session_seconds, 0).expect("a time").to_rfc3339();
        let session = format!(r#"{{"userId":"alice","expiresAt":"{end}"}}"#);
        let token = seal(HEADER, cache(&[("session", &session)]));
        verifier().verify(&token).expect("good").expires_at().timestamp() - NOW
    };
    assert_eq!((end(100), end(1000)), (115, 315));
}

#[test]
fn what_is_no_session_cache_is_refused() {
    for updated in ["", "\"1\"", "null", "[1]"] {
        assert_eq!(verdict_on(&[("updatedAt", updated)]), Err(MalformedToken), "{updated}");
    }
    for audience in [format!("{URL:?}"), "\"better-auth:session-cache\"".into(), "1".into()] {
        assert_eq!(verdict_on(&[("aud", &audience)]), Err(InvalidAudience), "{audience}");
    }
    for mail in [
        r#""email":"alice@example.com""#,
        r#""email":"alice@example.com","updateTo":"bob@example.com""#,
        r#""email":"alice@example.com","updateTo":"bob@example.com","requestType":"change-email-confirmation","userId":"alice""#,
    ] {
        let payload = format!(r#"{{{mail},"iat":{NOW},"exp":{}}}"#, NOW + 300);
        assert_eq!(verdict(&seal(HEADER, payload)), Err(MissingUidClaim), "{mail}");
    }
    assert_eq!(verdict(&seal(HEADER, payload(&[("aud", "")]))), Err(MissingUidClaim));
}

/// Access and service tokens are refused before their payload is read.
#[test]
fn access_tokens_and_service_tokens_are_refused() {
    let keys = Arc::new(Keyring::of_bytes(SECRET.as_bytes(), std::iter::empty()));
    let ttl = std::time::Duration::from_mins(5);
    let issuer = TokenIssuer::new(keys.clone(), policy(), ttl, clock());
    let alice = UserId::parse("alice").expect("an id");
    let access = issuer.issue(&alice, Profile::default()).expect("a token").token;
    let service = ServiceTokenIssuer::new(keys, "auth-service", "task-service/admin", clock());
    let service = service.expect("a name").issue().expect("a token");
    for other in [access, service, token(&[])] {
        assert_eq!(verdict(&other), Err(MalformedToken));
    }
}

#[test]
fn the_header_says_hs256_and_nothing_else() {
    for header in [
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256","kid":"0b5f1c9e"}"#,
        r#"{"alg":"HS256","typ":"better-auth.session-cache+jwt"}"#,
        r#"{"alg":"HS256","x":1}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"typ":"JWT"}"#,
    ] {
        assert_eq!(verdict(&seal(header, cache(&[]))), Err(MalformedToken), "{header}");
    }
    for alg in ["none", "hs256", "HS512", "EdDSA", "dir", ""] {
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        assert_eq!(verdict(&seal(header, cache(&[]))), Err(InvalidTokenSignature), "{alg}");
    }
    let message = format!("{}.{}", b64(HEADER), b64(cache(&[])));
    for tag in [mac("another secret", &message), vec![0; 32], mac(SECRET, &message)[..31].into()] {
        let token = format!("{message}.{}", b64(tag));
        assert_eq!(verdict(&token), Err(InvalidTokenSignature));
    }
    let foreign = seal_with("another-0b5f1c9e7a3d48626e2f9b04", HEADER, cache(&[]));
    assert_eq!(verdict(&foreign), Err(InvalidTokenSignature));
}

/// And the other way round: a session cache is no access token, whatever is checked.
#[test]
fn a_session_cache_is_no_access_token() {
    let open = TokenPolicy { issuer: None, audience: None, ..policy() };
    let keys = Arc::new(Keyring::of_bytes(SECRET.as_bytes(), std::iter::empty()));
    let verifier = TokenVerifier::new(keys, open, clock());
    let verdict = verifier.verify(&seal(HEADER, cache(&[])));
    assert_eq!(verdict.err(), Some(MissingUidClaim));
}
