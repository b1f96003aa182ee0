//! The tag: whole, of this exact text, under a configured key (rule T8).

use sha2::{Digest, Sha256};

use super::forge::{
    HEADER, SECRET, assert_passes, assert_refused, b64, hex, mac, payload, seal_with, token,
    user_of, verifier,
};
use crate::auth::Refusal::{InvalidTokenSignature, MalformedToken};

fn message() -> String {
    format!("{}.{}", b64(HEADER), b64(payload(&[])))
}

/// T8.
#[test]
fn a_tag_with_any_one_bit_flipped_is_refused() {
    let (verifier, message) = (verifier(), message());
    let tag = mac(SECRET, &message);
    for bit in 0..256 {
        let mut tag = tag.clone();
        tag[bit / 8] ^= 1 << (bit % 8);
        let token = format!("{message}.{}", b64(tag));
        assert_eq!(user_of(&verifier, &token), Err(InvalidTokenSignature), "T8: bit {bit}");
    }
}

/// T8. A prefix of the tag is a MAC of its own in some standards; not in this one.
#[test]
fn a_cut_or_extended_tag_is_refused() {
    let message = message();
    let tag = mac(SECRET, &message);
    for length in 1..32 {
        let cut = format!("{message}.{}", b64(&tag[..length]));
        assert_refused(&format!("T8: {length} bytes"), &cut, InvalidTokenSignature);
    }
    for more in [&b"\0"[..], b"x", &tag] {
        let longer = format!("{message}.{}", b64([&tag, more].concat()));
        assert_refused(&format!("T8: {more:?} more"), &longer, InvalidTokenSignature);
    }
    assert_passes("T8: 32 bytes", &format!("{message}.{}", b64(&tag)));
}

/// T8.
#[test]
fn the_tag_of_anything_else_is_refused() {
    let message = message();
    let (header, body) = message.split_once('.').expect("two parts");
    let digest = |bytes: &str| Sha256::digest(bytes).to_vec();
    for (of, tag) in [
        ("nothing", mac(SECRET, "")),
        ("the header", mac(SECRET, header)),
        ("the payload", mac(SECRET, body)),
        ("both, turned round", mac(SECRET, &format!("{body}.{header}"))),
        ("both, without a dot", mac(SECRET, &format!("{header}{body}"))),
        ("both, with a dot after", mac(SECRET, &format!("{message}."))),
        ("the decoded parts", mac(SECRET, &format!("{HEADER}.{}", payload(&[])))),
        ("the decoded payload", mac(SECRET, &payload(&[]))),
        ("no key: a hash", digest(&message)),
        ("a hash with the key in front", digest(&format!("{SECRET}{message}"))),
        ("a hash with the key behind", digest(&format!("{message}{SECRET}"))),
        ("key and message swapped", mac(&message, SECRET)),
        ("zeros", vec![0; 32]),
    ] {
        let token = format!("{message}.{}", b64(tag));
        assert_refused(&format!("T8: {of}"), &token, InvalidTokenSignature);
    }
    let digits = format!("{message}.{}", hex(&mac(SECRET, &message)));
    assert_refused("T8: in hex", &digits, InvalidTokenSignature);
    let stranger = token(&[("sub", "\"bob\"")]);
    let tag = stranger.rsplit('.').next().expect("a tag");
    assert_refused("T8: bob's", &format!("{message}.{tag}"), InvalidTokenSignature);
}

/// T8. (A key with a NUL behind it is the same HMAC key, so that is no case.)
#[test]
fn the_tag_of_any_other_key_is_refused() {
    let upper = SECRET.to_uppercase();
    for key in ["", "secret", &SECRET[..31], &SECRET[1..], &format!("{SECRET}\n"), &upper] {
        let token = seal_with(key, HEADER, payload(&[]));
        assert_refused(&format!("T8: {key:?}"), &token, InvalidTokenSignature);
    }
    let mut key = SECRET.as_bytes().to_vec();
    key[31] ^= 1;
    assert_refused(
        "T8: one bit of the key",
        &seal_with(&key, HEADER, payload(&[])),
        InvalidTokenSignature,
    );
}

/// The payload is not read, so not judged, before the tag is.
#[test]
fn a_wrong_tag_is_the_answer_whatever_the_payload_is() {
    for body in [payload(&[("exp", "1")]), payload(&[("iss", "7")]), "not json".to_owned()] {
        let token = seal_with("somebody else's", HEADER, &body);
        assert_refused(&body, &token, InvalidTokenSignature);
    }
    assert_refused("not json, signed", &super::forge::seal(HEADER, "not json"), MalformedToken);
}
