//! One key, one algorithm: no header can choose another.

use std::net::TcpListener;

use super::forge::{Signer, document, ed, other_ed, p256, published, rsa, user_of, verifier};
use crate::auth::{
    Refusal::{InvalidTokenSignature, MalformedToken},
    tests::forge::{NOW, SECRET, b64, mac, payload, seal_with},
};

fn header(alg: &str, kid: &str) -> String {
    format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#)
}

#[test]
fn each_key_verifies_with_its_own_algorithm_and_no_other() {
    let (ed, p256, rsa) = (ed(), p256(), rsa());
    let keys: [(&dyn Signer, &str); 3] = [(&ed, "EdDSA"), (&p256, "ES256"), (&rsa, "RS256")];
    let all: Vec<_> = keys.iter().map(|(key, alg)| published(*key, alg, "")).collect();
    let verifier = verifier(&document(&all));
    for (key, right) in keys {
        for alg in ["EdDSA", "ES256", "RS256"] {
            for kid in ["EdDSA", "ES256", "RS256"] {
                let verdict = user_of(&verifier, &key.token(&header(alg, kid)));
                let expected = if alg == right && kid == right {
                    Ok("alice".to_owned())
                } else {
                    Err(InvalidTokenSignature)
                };
                assert_eq!(verdict, expected, "{right} key, header {alg} {kid}");
            }
        }
        for alg in ["none", "HS256", "HS512", "PS256", "RS512", "ES384", "Ed25519", "eddsa", ""] {
            let token = key.token(&header(alg, right));
            assert_eq!(user_of(&verifier, &token), Err(InvalidTokenSignature), "{right} as {alg}");
        }
    }
}

/// A public key is public: as a secret it opens nothing, in any of its spellings.
#[test]
fn an_hmac_under_a_public_key_is_no_signature() {
    let (ed, p256, rsa) = (ed(), p256(), rsa());
    let all = [published(&ed, "EdDSA", ""), published(&p256, "ES256", "")];
    let all = document(&[&all[..], &[published(&rsa, "RS256", "")]].concat());
    let verifier = verifier(&all);
    let jwk = format!("{}}}", rsa.jwk());
    let secrets = [
        ed.public(),
        p256.public(),
        rsa.public().n,
        jwk.into_bytes(),
        all.into_bytes(),
        SECRET.into(),
        b"alice".to_vec(),
    ];
    for secret in &secrets {
        for kid in ["EdDSA", "ES256", "RS256", "none"] {
            for alg in ["HS256", kid] {
                let token = seal_with(secret, header(alg, kid), payload(&[]));
                assert_eq!(user_of(&verifier, &token), Err(InvalidTokenSignature), "{alg} {kid}");
            }
        }
        let bare = seal_with(secret, r#"{"alg":"HS256"}"#, payload(&[]));
        assert_eq!(user_of(&verifier, &bare), Err(InvalidTokenSignature));
    }
}

#[test]
fn empty_zero_cut_and_foreign_signatures_are_refused() {
    let (ed, p256, rsa) = (ed(), p256(), rsa());
    let keys: [(&dyn Signer, &str); 3] = [(&ed, "EdDSA"), (&p256, "ES256"), (&rsa, "RS256")];
    let all: Vec<_> = keys.iter().map(|(key, alg)| published(*key, alg, "")).collect();
    let verifier = verifier(&document(&all));
    for (key, alg) in keys {
        let message = format!("{}.{}", b64(header(alg, alg)), b64(payload(&[])));
        let good = key.sign(message.as_bytes());
        let mut bent = good.clone();
        bent[good.len() / 2] ^= 1;
        // `r` zero, `s` zero, and the order of the group in their place.
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        let order: Vec<u8> = (0..32)
            .map(|i| u8::from_str_radix(&order[2 * i..2 * i + 2], 16).expect("hex"))
            .collect();
        for signature in [
            vec![0; 32],
            vec![0; 64],
            vec![0; 256],
            vec![1; 64],
            vec![255; 64],
            [vec![0; 32], vec![1; 32]].concat(),
            [order.clone(), order].concat(),
            good[..good.len() - 1].to_vec(),
            [&good[..], b"\0"].concat(),
            [b"\0", &good[..]].concat(),
            bent,
            mac(SECRET, &message),
            other_ed().sign(message.as_bytes()),
            key.sign(b"another message"),
        ] {
            let token = format!("{message}.{}", b64(&signature));
            assert_eq!(
                user_of(&verifier, &token),
                Err(InvalidTokenSignature),
                "{alg} {signature:?}"
            );
        }
        let token = format!("{message}.");
        assert_eq!(user_of(&verifier, &token), Err(MalformedToken), "{alg}");
        let changed = format!("{}.{}", b64(header(alg, alg)), b64(payload(&[("sub", "\"bob\"")])));
        let token = format!("{changed}.{}", b64(&good));
        assert_eq!(user_of(&verifier, &token), Err(InvalidTokenSignature), "{alg}");
    }
}

/// ES256 is two numbers of 32 bytes each, not the ASN.1 of other protocols.
#[test]
fn an_asn1_signature_is_refused() {
    let p256 = p256();
    let verifier = verifier(&document(&[published(&p256, "a", "")]));
    let message = format!("{}.{}", b64(header("ES256", "a")), b64(payload(&[])));
    let fixed = p256.sign(message.as_bytes());
    let integer = |half: &[u8]| [&[2, 33, 0][..], half].concat();
    let body = [integer(&fixed[..32]), integer(&fixed[32..])].concat();
    let asn1 = [&[0x30, u8::try_from(body.len()).expect("short")][..], &body].concat();
    let token = format!("{message}.{}", b64(asn1));
    assert_eq!(user_of(&verifier, &token), Err(InvalidTokenSignature));
}

/// `kid` is compared and nothing else; what points elsewhere is refused and not followed.
#[test]
fn a_header_can_neither_bring_nor_find_a_key() {
    let (ours, theirs) = (ed(), other_ed());
    let verifier = verifier(&document(&[published(&ours, "ours", "")]));
    for kid in [
        "",
        "Ours",
        "ours ",
        "../ours",
        "/dev/null",
        "file:///dev/null",
        "ours\\u0000",
        "*",
        "https://evil.example/key",
        "' OR 1=1 --",
    ] {
        for key in [&ours, &theirs] {
            let token = key.token(&header("EdDSA", kid));
            assert_eq!(user_of(&verifier, &token), Err(InvalidTokenSignature), "{kid}");
        }
    }
    let watched = TcpListener::bind("127.0.0.1:0").expect("a port");
    watched.set_nonblocking(true).expect("a listener");
    let address = watched.local_addr().expect("an address");
    for offer in [
        format!(r#""jku":"http://{address}/jwks""#),
        format!(r#""x5u":"http://{address}/chain.pem""#),
        format!(r#""jwk":{}}}"#, theirs.jwk()),
        r#""x5c":["MIIB"]"#.to_owned(),
        r#""crit":["b64"],"b64":false"#.to_owned(),
        r#""typ":"better-auth.session-cache+jwt""#.to_owned(),
    ] {
        for kid in ["ours", "theirs"] {
            let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}",{offer}}}"#);
            for key in [&ours, &theirs] {
                let token = key.token(&header);
                assert_eq!(user_of(&verifier, &token), Err(MalformedToken), "{header}");
            }
        }
        let asked = format!(r#"{{"alg":"EdDSA","kid":"http://{address}/"}}"#);
        assert_eq!(user_of(&verifier, &theirs.token(&asked)), Err(InvalidTokenSignature));
    }
    let visit = watched.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(visit, Err(std::io::ErrorKind::WouldBlock), "somebody called");
}

#[test]
fn a_token_without_a_name_means_the_only_key() {
    let ed = ed();
    let bare = ed.token(r#"{"alg":"EdDSA"}"#);
    let one = published(&ed, "a", "");
    assert_eq!(
        user_of(&verifier(&document(std::slice::from_ref(&one))), &bare).as_deref(),
        Ok("alice")
    );
    let two = document(&[one, published(&other_ed(), "b", "")]);
    assert_eq!(user_of(&verifier(&two), &bare), Err(InvalidTokenSignature));
    let nameless = verifier(&document(&[format!("{}}}", ed.jwk())]));
    assert_eq!(user_of(&nameless, &bare).as_deref(), Ok("alice"));
    let named = ed.token(&header("EdDSA", "a"));
    assert_eq!(user_of(&nameless, &named), Err(InvalidTokenSignature), "another key's name");
}

/// A service token, a session cache under published keys, and one without a user.
#[test]
fn a_good_signature_does_not_make_an_access_token() {
    let ed = ed();
    let verifier = verifier(&document(&[published(&ed, "a", "")]));
    let signed = |payload: String| {
        let message = format!("{}.{}", b64(header("EdDSA", "a")), b64(payload));
        format!("{message}.{}", b64(ed.sign(message.as_bytes())))
    };
    for (payload, what) in [
        (payload(&[("sub", "\"service:auth-service\"")]), "a service"),
        (payload(&[("aud", "\"better-auth:session-cache\"")]), "a session cache"),
        (payload(&[("iss", "\"https://evil.example\"")]), "another issuer"),
        (payload(&[("exp", &(NOW - 15).to_string())]), "over"),
        (payload(&[("sub", "")]), "nobody"),
        (payload(&[("token_use", "\"refresh\"")]), "another use"),
    ] {
        assert!(user_of(&verifier, &signed(payload)).is_err(), "{what}");
    }
}
