//! How a token travels, seen from the gate (RFC 6750 section 2.1; rules H1 to H5, and H7:
//! a bad token is told before somebody else's name). H6 is HTTP's.

use tonic::{Code, Request, service::Interceptor};
use tonic_types::StatusExt;

use super::forge::{hex, token, verifier};
use crate::auth::{Gate, Principal};

/// The user behind a call with this metadata, or the code and reason of its refusal.
fn call(metadata: &[(&'static str, &str)]) -> Result<String, (Code, String)> {
    let mut request = Request::new(());
    for (name, value) in metadata {
        request.metadata_mut().append(*name, value.parse().expect("a metadata value"));
    }
    match Gate::new(verifier()).call(request) {
        Ok(passed) => Ok(Principal::of(&passed).expect("a principal").user().to_string()),
        Err(status) => {
            let details = status.get_error_details();
            Err((status.code(), details.error_info().expect("a reason").reason.clone()))
        }
    }
}

fn assert_unauthenticated(case: &str, metadata: &[(&'static str, &str)], reason: &str) {
    let expected = Err((Code::Unauthenticated, reason.to_owned()));
    assert_eq!(call(metadata), expected, "{case}");
}

/// H1.
#[test]
fn the_scheme_has_no_case_and_any_number_of_spaces() {
    for scheme in ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer  ", "Bearer        "] {
        let value = format!("{scheme}{}", token(&[]));
        assert_eq!(call(&[("authorization", &value)]).as_deref(), Ok("alice"), "H1: {scheme:?}");
    }
}

/// H2.
#[test]
fn anything_else_in_the_value_is_refused() {
    let good = token(&[]);
    for value in [
        String::new(),
        good.clone(),
        format!("Basic {good}"),
        format!("Token {good}"),
        format!("DPoP {good}"),
        format!("Bearer{good}"),
        format!("Bearer\t{good}"),
        format!(" Bearer {good}"),
        format!("Bearer {good} "),
        format!("Bearer {good}\t"),
        format!("Bearer Bearer {good}"),
        format!("Bearer \"{good}\""),
        format!("Bearer <{good}>"),
        format!("Bearer {good},"),
        format!("Bearer {good},Bearer {good}"),
        format!("Bearer {good}, Basic YTpi"),
        format!("Bearer token={good}"),
        format!("Bearer {good};"),
        format!("Bearer realm=\"x\", {good}"),
    ] {
        // `token=…` is spelled with letters a token may have, so the verifier refuses it.
        let reason = if value.contains('=') && !value.contains('"') {
            "MALFORMED_TOKEN"
        } else {
            "INVALID_HEADER_FORMAT"
        };
        assert_unauthenticated(&format!("H2: {value}"), &[("authorization", &value)], reason);
    }
}

/// H2. The gate decodes nothing: a percent-coded token is another text.
#[test]
fn coded_and_oversized_values_reach_no_parser() {
    let good = token(&[]);
    let coded: String = hex(good.as_bytes())
        .as_bytes()
        .chunks(2)
        .flat_map(|byte| [b"%", byte].concat())
        .map(char::from)
        .collect();
    for (case, credential) in [
        ("dots coded", good.replace('.', "%2E")),
        ("all coded", coded),
        ("padded", format!("{good}==")),
        ("16 KiB of letters", "a".repeat(16 * 1024)),
        ("16 KiB in three parts", format!("a.{}.b", "a".repeat(16 * 1024))),
        ("16 KiB of dots", ".".repeat(16 * 1024)),
        ("16 KiB behind a good token", format!("{good}{}", "a".repeat(16 * 1024))),
    ] {
        let value = format!("Bearer {credential}");
        assert_unauthenticated(case, &[("authorization", &value)], "MALFORMED_TOKEN");
    }
    let spaces = format!("Bearer{}{good}", " ".repeat(16 * 1024));
    assert_eq!(call(&[("authorization", &spaces)]).as_deref(), Ok("alice"));
}

/// H3. Two readers may choose differently between two values.
#[test]
fn two_values_are_refused_whichever_is_good() {
    let good = format!("Bearer {}", token(&[]));
    let bob = format!("Bearer {}", token(&[("sub", "\"bob\"")]));
    for pair in [
        [&good, "Bearer bad"],
        ["Bearer bad", &good],
        [&good, &good],
        [&good, &bob],
        [&good, "Basic YTpi"],
        ["Basic YTpi", &good],
        [&good, ""],
        ["", &good],
    ] {
        let metadata = pair.map(|value| ("authorization", value));
        assert_unauthenticated(&format!("H3: {pair:?}"), &metadata, "INVALID_HEADER_FORMAT");
    }
}

/// H4.
#[test]
fn a_token_elsewhere_is_no_token() {
    let (good, value) = (token(&[]), format!("Bearer {}", token(&[])));
    for name in [
        "x-authorization",
        "proxy-authorization",
        "x-forwarded-authorization",
        "x-access-token",
        "access_token",
        "cookie",
        "token",
        "grpcgateway-authorization",
    ] {
        assert_unauthenticated(name, &[(name, &value)], "MISSING_TOKEN");
        assert_unauthenticated(name, &[(name, &good)], "MISSING_TOKEN");
    }
}

/// H5, H7.
#[test]
fn a_name_in_the_metadata_grants_nothing() {
    let good = format!("Bearer {}", token(&[]));
    let expired = format!("Bearer {}", token(&[("exp", "1")]));
    for name in ["x-user-id", "x-forwarded-user", "x-auth-request-user", "x-email", "remote-user"] {
        assert_unauthenticated(name, &[(name, "alice")], "MISSING_TOKEN");
    }
    assert_unauthenticated(
        "H7: hers",
        &[("authorization", &expired), ("x-user-id", "alice")],
        "TOKEN_EXPIRED",
    );
    assert_unauthenticated(
        "H7: his",
        &[("authorization", &expired), ("x-user-id", "bob")],
        "TOKEN_EXPIRED",
    );
    let other = call(&[("authorization", &good), ("x-user-id", "bob")]);
    assert_eq!(other, Err((Code::PermissionDenied, "FORBIDDEN_USER_ACCESS".to_owned())));
    let ignored = call(&[("authorization", &good), ("x-forwarded-user", "bob")]);
    assert_eq!(ignored.as_deref(), Ok("alice"));
}
