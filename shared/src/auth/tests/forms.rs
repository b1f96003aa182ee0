//! Other forms of JOSE than the compact JWS (rules T6, T7).

use super::forge::{HEADER, SECRET, assert_refused, b64, mac, payload, token};
use crate::auth::Refusal::MalformedToken;

/// T7. An encrypted token is refused by its shape; no key is derived, nothing inflated.
#[test]
fn five_part_tokens_are_refused_unread() {
    for header in [
        r#"{"alg":"dir","enc":"A256GCM"}"#,
        r#"{"alg":"PBES2-HS256+A128KW","enc":"A128CBC-HS256","p2c":2147483647,"p2s":"AAAA"}"#,
        r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#,
        HEADER,
    ] {
        for key in ["", "AAAA"] {
            let jwe = format!("{}.{key}.{}.{}.{}", b64(header), b64([0; 12]), b64("x"), b64("tag"));
            assert_refused(&format!("T7: {header}"), &jwe, MalformedToken);
        }
        // The same header in front of three parts names no algorithm of ours either.
        let message = format!("{}.{}", b64(header), b64(payload(&[])));
        let three = format!("{message}.{}", b64(mac("wrong", &message)));
        assert!(super::forge::verdict(&three).is_err(), "T7: {header} as a JWS");
    }
}

/// T6.
#[test]
fn json_serialisations_and_mixtures_are_refused() {
    let good = token(&[]);
    let [header, body, tag] = good.split('.').collect::<Vec<_>>().try_into().expect("three parts");
    for form in [
        format!(r#"{{"protected":"{header}","payload":"{body}","signature":"{tag}"}}"#),
        format!(
            r#"{{"payload":"{body}","signatures":[{{"protected":"{header}","signature":"{tag}"}}]}}"#
        ),
        // Compact for one reader, JSON for another.
        format!(r#"{{"a":".{body}.","protected":"{header}","payload":"","signature":"{tag}"}}"#),
        format!("[{good}]"),
        format!("\"{good}\""),
        format!("Bearer {good}"),
        format!("{good},{good}"),
        format!("{good};"),
        format!("{good}#"),
        format!("{good}~"),
        format!("{good}~{tag}~"),
    ] {
        assert_refused(&format!("T6: {form}"), &form, MalformedToken);
    }
}

/// T6. RFC 7515 appendix F: a payload that travels elsewhere.
#[test]
fn detached_content_is_refused() {
    let message = format!("{}.{}", b64(HEADER), b64(payload(&[])));
    let detached = format!("{}..{}", b64(HEADER), b64(mac(SECRET, &message)));
    assert_refused("T6: detached", &detached, MalformedToken);
}
