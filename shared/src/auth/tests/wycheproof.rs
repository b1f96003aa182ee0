//! Project Wycheproof's vectors for HMAC-SHA-256 and for JWS with MAC keys, read from the
//! folder that `WYCHEPROOF_DIR` names; without it the tests say that they were skipped.
//!
//! Out of scope, and counted as such, is what we do not have or what cannot be judged:
//! - JSON Web Key sets: keys are secrets from the settings, without `kid`, `use` or `alg`
//!   (a set that mixes key types, a set that repeats a `kid`);
//! - two vectors marked invalid for bad padding that their text does not contain: it is
//!   the text of a valid one.
//!
//! Judged against the file, and stricter:
//! - two vectors with a `?` inside a part, marked valid: RFC 7515 knows no such letter;
//! - HS384 and HS512 under a good key, marked valid: HS256 is the only algorithm here.

use std::{fs, io::Write, path::PathBuf};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::Value;

use super::forge::{b64, clock, policy, verifier_with};
use crate::{
    auth::{
        Secret, SecretFault, claims,
        hs256::{self, Hs256},
    },
    config::{Env, Vars},
};

/// All tests of a file, each with its group; `None` where no folder is named.
fn vectors(file: &str) -> Option<Vec<(Value, Value)>> {
    let Some(folder) = Env.var("WYCHEPROOF_DIR") else {
        skip(file);
        return None;
    };
    let text = fs::read_to_string(PathBuf::from(folder).join(file)).expect("a readable file");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let mut vectors = Vec::new();
    for group in list(&file["testGroups"]) {
        vectors.extend(list(&group["tests"]).iter().map(|test| (group.clone(), test.clone())));
    }
    assert_eq!(file["numberOfTests"], vectors.len(), "the file is whole");
    Some(vectors)
}

/// Past the harness, which keeps what passing tests print to itself: a test that did not
/// run must not look like one that did.
fn skip(file: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: WYCHEPROOF_DIR does not say where {file} is");
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = text(value);
    let byte = |i| u8::from_str_radix(&digits[i..i + 2], 16).expect("hex");
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Keys of 128, 256 and 520 bits. A tag of 256 bits is judged as the file says, and must
/// come out of signing where it is valid; one of 128 bits is a truncation, which HS256
/// does not know: refused, valid or not.
#[test]
fn hmac_vectors_agree_and_truncated_tags_are_refused() {
    let Some(vectors) = vectors("hmac_sha256_test.json") else { return };
    hs256::install();
    let (mut whole, mut truncated) = (0, 0);
    for (group, test) in vectors {
        let (key, message, tag) = (hex(&test["key"]), hex(&test["msg"]), hex(&test["tag"]));
        let signing = EncodingKey::from_secret(&key);
        let accepted = Hs256::under(&key).expect("a MAC").verifies(&message, &b64(&tag));
        let signed = crypto::sign(&message, &signing, Algorithm::HS256).expect("a tag");
        let valid = test["result"] == "valid";
        if group["tagSize"] == 256 {
            whole += 1;
            assert_eq!(accepted, valid, "{test}");
            assert_eq!(signed == b64(&tag), valid, "{test}");
        } else {
            truncated += 1;
            assert!(!accepted, "{test}");
            assert_eq!(hs256_prefix(&signed, tag.len()) == tag, valid, "{test}");
        }
    }
    assert_eq!((whole, truncated), (87, 87));
}

fn hs256_prefix(signed: &str, length: usize) -> Vec<u8> {
    let mut tag = URL_SAFE_NO_PAD.decode(signed).expect("base64url");
    tag.truncate(length);
    tag
}

#[derive(Clone, Copy, PartialEq)]
enum Scope {
    Judged,
    Stricter,
    Out,
}

#[test]
fn jws_vectors_agree() {
    for (file, stricter, out, expected) in [
        ("json_web_signature_mac.json", &[372, 373][..], &[367, 370][..], (36, 2, 2)),
        ("json_web_crypto_mac.json", &[], &[47], (19, 0, 1)),
        ("json_web_key_mac.json", &[14, 15], &[1, 4], (9, 2, 2)),
    ] {
        let Some(vectors) = vectors(file) else { return };
        let mut counts = (0, 0, 0);
        for (group, test) in vectors {
            let id = test["tcId"].as_i64().expect("a number");
            let scope = if out.contains(&id) {
                Scope::Out
            } else if stricter.contains(&id) {
                Scope::Stricter
            } else {
                Scope::Judged
            };
            match scope {
                Scope::Judged => counts.0 += 1,
                Scope::Stricter => counts.1 += 1,
                Scope::Out => counts.2 += 1,
            }
            if scope != Scope::Out {
                let valid = test["result"] == "valid";
                let expected = valid && scope == Scope::Judged;
                assert_eq!(accepts(&group, &test), expected, "{file}: {test}");
                assert!(valid || scope == Scope::Judged, "not stricter: {test}");
            }
        }
        assert_eq!(counts, expected, "{file}");
    }
}

/// Whether a service with the keys of `group` would start, and take the signature of
/// `test` and the encoding of its payload (which is no JSON).
fn accepts(group: &Value, test: &Value) -> bool {
    let private = &group["private"];
    let keys = private["keys"].as_array().cloned().unwrap_or_else(|| vec![private.clone()]);
    let keys: Vec<_> =
        keys.iter().map(|key| URL_SAFE_NO_PAD.decode(text(&key["k"])).expect("a key")).collect();
    // These are refused at the start; that the tag would be right does not matter then.
    if let Some(short) = keys.iter().find(|key| key.len() < 32) {
        let short = String::from_utf8(short.clone()).expect("text");
        assert_eq!(Secret::parse(short).err(), Some(SecretFault::Short));
        return false;
    }
    let keys: Vec<_> = keys.iter().map(Vec::as_slice).collect();
    let jws = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
    let verifier = verifier_with(&keys, policy(), clock());
    verifier.authenticate(&jws).is_ok_and(|payload| claims::text(payload).is_ok())
}
