//! Which published keys are taken.

use serde_json::Value;

use super::{
    super::{
        document::{DocumentFault, PublicKeys},
        key::{PublicKey, Unusable},
    },
    forge::{Signer, document, ed, other_ed, p256, published, rsa},
};
use crate::auth::tests::forge::b64;

fn key(json: &str) -> Result<&'static str, Unusable> {
    let json: Value = serde_json::from_str(json).expect("JSON");
    PublicKey::parse(json).map(|key| key.algorithm())
}

#[test]
fn what_a_key_is_made_of_decides_its_algorithm() {
    for (signer, alg) in [(&ed() as &dyn Signer, "EdDSA"), (&p256(), "ES256"), (&rsa(), "RS256")] {
        for more in [
            String::new(),
            format!(r#","alg":"{alg}""#),
            r#","use":"sig""#.to_owned(),
            r#","key_ops":["verify"]"#.to_owned(),
            r#","x5t":"abc","ext":true,"exp":1"#.to_owned(),
        ] {
            assert_eq!(key(&published(signer, "a", &more)), Ok(alg), "{more}");
        }
        for other in ["HS256", "none", "RS512", "PS256", "ES384", "dir", "", "eddsa"] {
            let named = published(signer, "a", &format!(r#","alg":"{other}""#));
            assert_eq!(key(&named), Err(Unusable::Algorithm), "{alg} as {other}");
        }
        for other in [r#","use":"enc""#, r#","key_ops":["encrypt"]"#, r#","key_ops":[]"#] {
            assert_eq!(key(&published(signer, "a", other)), Err(Unusable::OtherUse), "{other}");
        }
        for private in [r#","d":"AAAA""#, r#","d":1"#, r#","k":"AAAA""#, r#","p":"A","q":"A""#] {
            assert_eq!(key(&published(signer, "a", private)), Err(Unusable::Private), "{private}");
        }
    }
}

#[test]
fn what_is_no_public_key_is_left_alone() {
    let short = b64([1; 31]);
    let full = b64([1; 32]);
    for (json, reason) in [
        (r#"{"kty":"oct","k":"c2VjcmV0"}"#.to_owned(), Unusable::Private),
        (r#"{"kty":"oct","alg":"HS256"}"#.to_owned(), Unusable::Private),
        (r#"{"kty":"OKP","crv":"Ed25519"}"#.to_owned(), Unusable::Malformed),
        (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{short}"}}"#), Unusable::Malformed),
        (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{full}="}}"#), Unusable::Malformed),
        (format!(r#"{{"kty":"OKP","crv":"X25519","x":"{full}"}}"#), Unusable::Algorithm),
        (format!(r#"{{"kty":"OKP","crv":"Ed448","x":"{full}"}}"#), Unusable::Algorithm),
        (format!(r#"{{"kty":"EC","crv":"P-256","x":"{full}"}}"#), Unusable::Malformed),
        (format!(r#"{{"kty":"EC","crv":"P-384","x":"{full}","y":"{full}"}}"#), Unusable::Algorithm),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{full}","y":"{short}"}}"#),
            Unusable::Malformed,
        ),
        (r#"{"kty":"RSA","e":"AQAB"}"#.to_owned(), Unusable::Malformed),
        (r#"{"kty":"RSA","n":"","e":"AQAB"}"#.to_owned(), Unusable::Size),
        (r#"{"kty":"none"}"#.to_owned(), Unusable::Algorithm),
        (r#"{"kty":7}"#.to_owned(), Unusable::Malformed),
        (r#"{"kid":"a"}"#.to_owned(), Unusable::Malformed),
        // All members in the order that this program declares them, without their names.
        (
            format!(
                r#"["OKP","a",null,"Ed25519",null,null,"{full}",null,null,null,null,null,null,null]"#
            ),
            Unusable::Malformed,
        ),
        ("null".to_owned(), Unusable::Malformed),
    ] {
        assert_eq!(key(&json), Err(reason), "{json}");
    }
}

#[test]
fn an_rsa_key_is_long_enough_and_no_longer_than_can_be_borne() {
    let of_bits = |bits: usize| {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= (8 - bits % 8) % 8;
        key(&format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, b64(n)))
    };
    for bits in [512, 1024, 2040, 2047, 8193, 16384] {
        assert_eq!(of_bits(bits), Err(Unusable::Size), "{bits}");
    }
    for bits in [2048, 3072, 4096, 8192] {
        assert_eq!(of_bits(bits), Ok("RS256"), "{bits}");
    }
    let padded = [vec![0; 128], vec![0xff; 128]].concat();
    let padded = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, b64(padded));
    assert_eq!(key(&padded), Err(Unusable::Size), "1024 bits in 2048");
}

#[test]
fn a_document_is_whole_or_refused() {
    let parse = |text: &str| PublicKeys::parse(text.as_bytes()).map(|keys| keys.len());
    let (one, other) = (published(&ed(), "a", ""), published(&other_ed(), "b", ""));
    assert_eq!(parse(&document(&[one.clone(), other.clone()])), Ok(2));
    // RFC 7517 section 5: what is not understood is left alone.
    let oct = r#"{"kty":"oct","kid":"a","k":"c2VjcmV0"}"#.to_owned();
    assert_eq!(parse(&document(&[oct.clone(), one.clone()])), Ok(1));
    assert_eq!(parse(&document(&[one.clone(), "7".to_owned()])), Ok(1));
    let twin = published(&other_ed(), "a", "");
    assert_eq!(parse(&document(&[one.clone(), twin])), Err(DocumentFault::Ambiguous));
    let nameless = format!("{}}}", ed().jwk());
    assert_eq!(parse(&document(&[nameless.clone(), nameless])), Err(DocumentFault::Ambiguous));
    for empty in [document(&[]), document(&[oct])] {
        assert_eq!(parse(&empty), Err(DocumentFault::Empty), "{empty}");
    }
    for text in ["", "{}", "[]", "null", "<html>", r#"{"keys":{}}"#, r#"{"keys":null}"#, "[[]]"] {
        assert_eq!(parse(text), Err(DocumentFault::Malformed), "{text}");
    }
    let twice = format!(r#"{{"keys":[{one}],"keys":[{other}]}}"#);
    assert_eq!(parse(&twice), Err(DocumentFault::Malformed));
    let many: Vec<_> = (0..65).map(|i| published(&ed(), &i.to_string(), "")).collect();
    assert_eq!(parse(&document(&many)), Err(DocumentFault::TooMany));
    assert_eq!(parse(&document(&many[..64])), Ok(64));
    assert_eq!(parse(&format!("{} x", document(&[one]))), Err(DocumentFault::Malformed));
}
