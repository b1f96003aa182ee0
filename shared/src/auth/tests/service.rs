//! Service tokens, and that neither gate takes what is the other's (rule T20).

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tonic::{Code, Request, service::Interceptor};
use tonic_types::StatusExt;

use super::forge::{
    HEADER, NOW, SECRET, clock, payload, policy, seal, seal_with, token, user_of, verifier_with,
};
use crate::{
    auth::{
        Keyring, Principal,
        Refusal::{InvalidAudience, MissingUidClaim},
        ServiceGate, ServicePrincipal, ServiceTokenIssuer,
    },
    clock::ManualClock,
};

const ADMIN: &str = "task-service/admin";

fn keys() -> Arc<Keyring> {
    Arc::new(Keyring::of_bytes(SECRET.as_bytes(), std::iter::empty()))
}

fn gate(clock: Arc<ManualClock>) -> ServiceGate {
    ServiceGate::new(keys(), ADMIN, policy().leeway, clock)
}

fn issued() -> String {
    let issuer = ServiceTokenIssuer::new(keys(), "auth-service", ADMIN, clock());
    issuer.expect("a name").issue().expect("a token")
}

/// The name that `gate` leaves with the handler, or the code and reason of its refusal.
fn call(gate: &ServiceGate, metadata: &[(&'static str, &str)]) -> Result<String, (Code, String)> {
    let mut request = Request::new(());
    for (name, value) in metadata {
        request.metadata_mut().append(*name, value.parse().expect("a metadata value"));
    }
    match gate.clone().call(request) {
        Ok(passed) => Ok(ServicePrincipal::of(&passed).expect("a principal").name().to_owned()),
        Err(status) => {
            let details = status.get_error_details();
            Err((status.code(), details.error_info().expect("a reason").reason.clone()))
        }
    }
}

fn verdict(token: &str) -> Result<String, String> {
    let verdict_of_gate = call(&gate(clock()), &[("authorization", &format!("Bearer {token}"))]);
    verdict_of_gate.map_err(|(code, reason)| {
        assert_eq!(code, Code::Unauthenticated);
        reason
    })
}

/// A service token with some claims replaced or added, as raw JSON.
fn forged(changes: &[(&str, &str)]) -> String {
    let exp = (NOW + 60).to_string();
    let good = [
        ("sub", r#""service:auth-service""#),
        ("aud", r#""task-service/admin""#),
        ("iss", ""),
        ("exp", &exp),
    ];
    seal(HEADER, payload(&[&good, changes].concat()))
}

#[test]
fn a_service_token_has_these_claims_and_no_others() {
    let token = issued();
    let parts: Vec<Value> = token
        .split('.')
        .take(2)
        .map(|part| serde_json::from_str(&crate::auth::claims::text(part).expect("text")))
        .collect::<Result<_, _>>()
        .expect("JSON");
    let kid = keys().signing_id().to_owned();
    assert_eq!(parts[0], json!({ "alg": "HS256", "typ": "JWT", "kid": kid }));
    let claims =
        json!({ "sub": "service:auth-service", "aud": ADMIN, "iat": NOW, "exp": NOW + 60 });
    assert_eq!(parts[1], claims);
    assert_eq!(verdict(&token).as_deref(), Ok("auth-service"));
    assert_eq!(verdict(&forged(&[])).as_deref(), Ok("auth-service"), "the forgery");
}

/// T20.
#[test]
fn a_user_is_no_service_and_a_service_is_no_user() {
    // A user's token lives too long to begin with; a short one is not meant for this gate.
    assert_eq!(verdict(&token(&[])).err().as_deref(), Some("MALFORMED_TOKEN"));
    let short = (NOW + 60).to_string();
    let verdict_of_gate = verdict(&token(&[("exp", &short)]));
    assert_eq!(verdict_of_gate.err().as_deref(), Some("INVALID_AUDIENCE"));
    let short = forged(&[("sub", r#""alice""#)]);
    assert_eq!(verdict(&short).err().as_deref(), Some("MISSING_UID_CLAIM"));

    let users = |issuer: Option<String>, audience: Option<&str>| {
        let mut policy = policy();
        (policy.issuer, policy.audience) = (issuer, audience.map(str::to_owned));
        verifier_with(&[SECRET.as_bytes()], policy, clock())
    };
    for (audience, reason) in [
        (policy().audience.as_deref(), InvalidAudience),
        // Even where nothing else is asked of a token.
        (None, MissingUidClaim),
        (Some(ADMIN), MissingUidClaim),
    ] {
        assert_eq!(user_of(&users(None, audience), &issued()), Err(reason), "{audience:?}");
    }
}

#[test]
fn the_subject_of_a_service_token_is_a_service_and_its_audience_this_gate_alone() {
    for sub in [
        "",
        "null",
        "1",
        r#""""#,
        r#""auth-service""#,
        r#""service:""#,
        r#""Service:auth-service""#,
        r#"" service:auth-service""#,
        r#""service:auth service""#,
        r#""service:Auth""#,
        r#""service:a\u0000""#,
        r#"["service:auth-service"]"#,
    ] {
        let verdict_of_gate = verdict(&forged(&[("sub", sub)]));
        assert_eq!(verdict_of_gate.err().as_deref(), Some("MISSING_UID_CLAIM"), "{sub}");
    }
    for uid in [r#""service:auth-service""#, r#""alice""#, "null"] {
        let verdict_of_gate = verdict(&forged(&[("uid", uid)]));
        assert_eq!(verdict_of_gate.err().as_deref(), Some("MISSING_UID_CLAIM"), "{uid}");
    }
    for aud in [
        "",
        "null",
        "1",
        "[]",
        r#""task-service""#,
        r#""task-service/admin/""#,
        r#""Task-Service/admin""#,
        r#"["task-service/admin","https://app.example.com"]"#,
    ] {
        let verdict_of_gate = verdict(&forged(&[("aud", aud)]));
        assert_eq!(verdict_of_gate.err().as_deref(), Some("INVALID_AUDIENCE"), "{aud}");
    }
}

#[test]
fn it_lives_for_a_minute_and_no_forger_makes_it_longer() {
    for (iat, exp, reason) in [
        (Some(NOW), NOW + 75, None),
        (Some(NOW), NOW + 76, Some("MALFORMED_TOKEN")),
        (None, NOW + 76, Some("MALFORMED_TOKEN")),
        (Some(NOW - 3600), NOW + 60, Some("MALFORMED_TOKEN")),
        (Some(NOW - 75), NOW - 15, Some("TOKEN_EXPIRED")),
        (Some(NOW + 16), NOW + 76, Some("TOKEN_NOT_YET_VALID")),
    ] {
        let iat = iat.map(|iat: i64| iat.to_string()).unwrap_or_default();
        let verdict_of_gate = verdict(&forged(&[("iat", &iat), ("exp", &exp.to_string())]));
        assert_eq!(verdict_of_gate.err().as_deref(), reason, "{iat} to {exp}");
    }
    let (clock, bearer) = (clock(), format!("Bearer {}", issued()));
    let gate = gate(clock.clone());
    clock.advance(TimeDelta::milliseconds(74_999));
    assert!(call(&gate, &[("authorization", &bearer)]).is_ok());
    clock.advance(TimeDelta::milliseconds(1));
    let verdict_of_gate = call(&gate, &[("authorization", &bearer)]);
    assert_eq!(verdict_of_gate, Err((Code::Unauthenticated, "TOKEN_EXPIRED".to_owned())));
}

#[test]
fn the_rules_of_the_other_gate_hold_at_this_one() {
    let good = issued();
    let claims = payload(&[("sub", r#""service:x""#), ("aud", r#""task-service/admin""#)]);
    for (case, token, reason) in [
        ("another key", seal_with("somebody else's", HEADER, &claims), "INVALID_TOKEN_SIGNATURE"),
        ("no algorithm", seal(r#"{"alg":"none"}"#, &claims), "INVALID_TOKEN_SIGNATURE"),
        ("an extension", seal(r#"{"alg":"HS256","crit":["x"]}"#, &claims), "MALFORMED_TOKEN"),
        ("another purpose", forged(&[("token_use", r#""refresh""#)]), "MALFORMED_TOKEN"),
        ("cut", good[..good.len() - 1].to_owned(), "INVALID_TOKEN_SIGNATURE"),
        ("too long", format!("{good}{}", "a".repeat(8 * 1024)), "MALFORMED_TOKEN"),
    ] {
        assert_eq!(verdict(&token).err().as_deref(), Some(reason), "{case}");
    }
    let (gate, bearer) = (gate(clock()), format!("Bearer {good}"));
    for (metadata, code, reason) in [
        (&[][..], Code::Unauthenticated, "MISSING_TOKEN"),
        (&[("authorization", good.as_str())], Code::Unauthenticated, "INVALID_HEADER_FORMAT"),
        (
            &[("authorization", &bearer), ("x-user-id", "alice")],
            Code::PermissionDenied,
            "FORBIDDEN_USER_ACCESS",
        ),
    ] {
        assert_eq!(call(&gate, metadata), Err((code, reason.to_owned())), "{metadata:?}");
    }
}

#[test]
fn a_service_that_was_there_before_is_not_kept() {
    let planted = ServicePrincipal::of_subject("service:mallory").expect("a name");
    let mut request = Request::new(());
    request.extensions_mut().insert(planted);
    let refused = gate(clock()).call(request).expect_err("no token");
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(ServicePrincipal::of(&Request::new(())).is_err(), "fails closed");
}

#[test]
fn a_name_is_plain() {
    for bad in ["", "Auth", "auth service", "auth:service", "ä", &"a".repeat(64)] {
        assert!(ServiceTokenIssuer::new(keys(), bad, ADMIN, clock()).is_err(), "{bad}");
    }
}

/// The expiry of a principal, which a watch needs: when the gate would refuse the token.
#[test]
fn a_principal_ends_when_its_token_does() {
    for (exp, micros) in
        [("1800000900", 1_800_000_915_000_000), ("1800000000.5", 1_800_000_015_500_000)]
    {
        let clock = clock();
        let verifier = verifier_with(&[SECRET.as_bytes()], policy(), clock.clone());
        let token = token(&[("exp", exp)]);
        let ends = |principal: Principal| principal.expires_at().timestamp_micros();
        assert_eq!(verifier.verify(&token).map(ends), Ok(micros), "{exp}");
        clock.advance(TimeDelta::microseconds(micros - NOW * 1_000_000 - 1000));
        assert!(verifier.verify(&token).is_ok(), "{exp}: just before");
        clock.advance(TimeDelta::microseconds(1000));
        assert!(verifier.verify(&token).is_err(), "{exp}: then");
    }
}
