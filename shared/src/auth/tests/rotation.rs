//! Several secrets at once: rotation without a refused user.

use std::sync::Arc;

use super::forge::{HEADER, clock, payload, policy, seal_with, user_of, verifier_with};
use crate::auth::{
    Keyring, Profile,
    Refusal::{self, InvalidTokenSignature},
    TokenIssuer, TokenVerifier, UserId,
};

const NEW: &str = "new-0b5f1c9e7a3d48626e2f9b04c7d1583a";
const OLD: &str = "old-5a7d3e9b1c0f46288c1e07d2f4b39a65";

fn trusting(keys: &[&str]) -> TokenVerifier {
    let keys: Vec<_> = keys.iter().map(|key| key.as_bytes()).collect();
    verifier_with(&keys, policy(), clock())
}

fn id(key: &str) -> String {
    Keyring::of_bytes(key.as_bytes(), std::iter::empty()).signing_id().to_owned()
}

fn signed(key: &str, kid: Option<&str>) -> String {
    let header =
        kid.map_or_else(|| HEADER.to_owned(), |kid| format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#));
    seal_with(key, header, payload(&[]))
}

#[test]
fn every_step_of_a_rotation_accepts_what_it_should() {
    let (new, old) = (id(NEW), id(OLD));
    for (step, keys, new_passes, old_passes) in [
        ("before", &[OLD][..], false, true),
        ("added", &[OLD, NEW], true, true),
        ("first", &[NEW, OLD], true, true),
        ("dropped", &[NEW], true, false),
    ] {
        let verifier = trusting(keys);
        for (key, kid, passes) in [(NEW, &new, new_passes), (OLD, &old, old_passes)] {
            for kid in [Some(kid.as_str()), None, Some("minted-elsewhere"), Some("")] {
                let verdict = user_of(&verifier, &signed(key, kid));
                let expected: Result<_, Refusal> =
                    if passes { Ok("alice".to_owned()) } else { Err(InvalidTokenSignature) };
                assert_eq!(verdict, expected, "{step}: kid {kid:?}");
            }
        }
    }
}

#[test]
fn a_kid_of_ours_picks_its_key_and_no_other_is_tried() {
    let verifier = trusting(&[NEW, OLD]);
    for (key, other) in [(NEW, OLD), (OLD, NEW)] {
        let misnamed = signed(key, Some(&id(other)));
        assert_eq!(user_of(&verifier, &misnamed), Err(InvalidTokenSignature));
        let cased = id(other).to_uppercase();
        assert_ne!(cased, id(other), "the case below needs a letter");
        assert!(user_of(&verifier, &signed(key, Some(&cased))).is_ok(), "not our id: all tried");
    }
}

#[test]
fn what_was_issued_before_a_rotation_lives_on_after_it() {
    let ttl = std::time::Duration::from_mins(15);
    let issue = |keys: &[&str]| {
        let others = keys[1..].iter().map(|key| key.as_bytes());
        let keys = Arc::new(Keyring::of_bytes(keys[0].as_bytes(), others));
        let issuer = TokenIssuer::new(keys, policy(), ttl, clock());
        issuer
            .issue(&UserId::parse("alice").expect("an id"), Profile::default())
            .expect("a token")
            .token
    };
    let (before, after) = (issue(&[OLD, NEW]), issue(&[NEW, OLD]));
    assert!(user_of(&trusting(&[OLD]), &before).is_ok(), "the first signs");
    assert!(user_of(&trusting(&[NEW]), &after).is_ok(), "the first signs");
    for token in [&before, &after] {
        assert_eq!(user_of(&trusting(&[NEW, OLD]), token).as_deref(), Ok("alice"));
    }
    assert_eq!(user_of(&trusting(&[NEW]), &before), Err(InvalidTokenSignature));
}
