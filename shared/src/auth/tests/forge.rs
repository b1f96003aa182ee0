//! Forges tokens by hand: any header and any payload, byte for byte, under any key. The
//! issuer is not used, so a mistake there cannot hide one in the verifier.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    auth::{Keyring, Refusal, TokenPolicy, TokenVerifier},
    clock::ManualClock,
};

use super::twins;

/// The secret that [`verifier`] trusts.
pub const SECRET: &str = "0b5f1c9e7a3d48626e2f9b04c7d1583a";

/// Issuer and audience of [`policy`].
pub const URL: &str = "https://app.example.com";

/// The time of the clock, in seconds since 1970.
pub const NOW: i64 = 1_800_000_000;

/// The header of a good token.
pub const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// HMAC-SHA-256, not encoded.
pub fn mac(key: impl AsRef<[u8]>, message: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).expect("any length is a key");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

/// `header` and `payload` as they are, signed with `key`.
pub fn seal_with(
    key: impl AsRef<[u8]>,
    header: impl AsRef<[u8]>,
    payload: impl AsRef<[u8]>,
) -> String {
    let message = format!("{}.{}", b64(header), b64(payload));
    format!("{message}.{}", b64(mac(key, &message)))
}

/// `header` and `payload` as they are, signed with the trusted secret.
pub fn seal(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    seal_with(SECRET, header, payload)
}

/// A good payload with some claims replaced or added, each as raw JSON; an empty text
/// leaves the claim out.
pub fn payload(changes: &[(&str, &str)]) -> String {
    let (url, iat, exp) = (format!("{URL:?}"), NOW.to_string(), (NOW + 900).to_string());
    let mut claims = vec![
        ("sub", r#""alice""#),
        ("iss", &url),
        ("aud", &url),
        ("iat", iat.as_str()),
        ("exp", exp.as_str()),
    ];
    for &(name, json) in changes {
        match claims.iter_mut().find(|claim| claim.0 == name) {
            Some(claim) => claim.1 = json,
            None => claims.push((name, json)),
        }
    }
    let members: Vec<_> = claims
        .iter()
        .filter(|(_, json)| !json.is_empty())
        .map(|(name, json)| format!("\"{name}\":{json}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// A token that is good but for `changes`.
pub fn token(changes: &[(&str, &str)]) -> String {
    seal(HEADER, payload(changes))
}

/// As the design's defaults: 15 seconds of leeway, 7 days of life.
pub fn policy() -> TokenPolicy {
    TokenPolicy {
        issuer: Some(URL.to_owned()),
        audience: Some(URL.to_owned()),
        leeway: Duration::from_secs(15),
        max_lifetime: Duration::from_hours(7 * 24),
    }
}

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(DateTime::from_timestamp(NOW, 0).expect("a time")))
}

/// A verifier that trusts `keys`, the first of them first.
pub fn verifier_with(
    keys: &[&[u8]],
    policy: TokenPolicy,
    clock: Arc<ManualClock>,
) -> TokenVerifier {
    let keys = Keyring::of_bytes(keys[0], keys[1..].iter().copied());
    TokenVerifier::new(Arc::new(keys), policy, clock)
}

pub fn verifier() -> TokenVerifier {
    verifier_with(&[SECRET.as_bytes()], policy(), clock())
}

/// The user that `verifier` finds in `token`. The twins of the token, signed for the other
/// kinds of verifier, must come out alike.
pub fn user_of(verifier: &TokenVerifier, token: &str) -> Result<String, Refusal> {
    let verdict = verifier.verify(token).map(|principal| principal.user().to_string());
    twins::check(verifier, token, &verdict);
    verdict
}

/// The user that the default verifier finds in `token`.
pub fn verdict(token: &str) -> Result<String, Refusal> {
    user_of(&verifier(), token)
}

/// Asserts that `token` is good, and alice's.
pub fn assert_passes(case: &str, token: &str) {
    assert_eq!(verdict(token), Ok("alice".to_owned()), "{case}");
}

/// Asserts that `token` is refused for `reason`.
pub fn assert_refused(case: &str, token: &str, reason: Refusal) {
    assert_eq!(verdict(token), Err(reason), "{case}");
}

#[test]
fn the_unchanged_forgery_is_a_good_token() {
    assert_passes("no changes", &token(&[]));
    assert_eq!(token(&[]).matches('.').count(), 2);
}
