//! The header of a token (RFC 7515 section 4; rules T1 to T5, T21).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha384, Sha512};

use super::forge::{
    SECRET, assert_passes, assert_refused, b64, mac, payload, seal, seal_with, verdict,
};
use crate::auth::Refusal::{self, InvalidTokenSignature, MalformedToken};

/// A token with this header, a good payload and the right HS256 tag.
fn headed(header: &str) -> String {
    seal(header, payload(&[]))
}

fn assert_headers_refused(rule: &str, reason: Refusal, headers: &[&str]) {
    for header in headers {
        assert_refused(&format!("{rule}: {header}"), &headed(header), reason);
    }
}

/// T1. The tag is right each time: only the name of the algorithm is not.
#[test]
fn only_hs256_spelled_exactly_so_is_an_algorithm() {
    for alg in [
        "", "none", "None", "NONE", "nOnE", "hs256", "Hs256", "HS-256", "HS256 ", " HS256",
        "HS384", "HS512", "HS1", "SHA256", "A256GCM", "dir",
    ] {
        let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
        assert_refused(&format!("T1: {header}"), &headed(&header), InvalidTokenSignature);
    }
    let alike = "{\"alg\":\"HS256\\u0000\"}";
    assert_refused("T1: NUL after the name", &headed(alike), InvalidTokenSignature);
    assert_passes("T1: escaped, but the same name", &headed(r#"{"alg":"\u0048S256"}"#));
}

/// T1. An algorithm of a wrong type is a malformed header, never a default.
#[test]
fn the_algorithm_is_one_string() {
    assert_headers_refused(
        "T1",
        MalformedToken,
        &[
            "{}",
            r#"{"typ":"JWT"}"#,
            r#"{"alg":null}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"alg":{"name":"HS256"}}"#,
            r#"{"alg":256}"#,
            r#"{"alg":true}"#,
            r#"{"ALG":"HS256"}"#,
        ],
    );
}

/// T1. With no tag at all the shape is wrong before the algorithm is read.
#[test]
fn an_unsigned_token_is_refused_whatever_it_calls_itself() {
    for alg in ["none", "None", "HS256", ""] {
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        let message = format!("{}.{}", b64(header), b64(payload(&[])));
        assert_refused(alg, &format!("{message}."), MalformedToken);
        assert_refused(alg, &message, MalformedToken);
        let zeros = format!("{message}.{}", b64([0; 32]));
        assert_refused(alg, &zeros, InvalidTokenSignature);
    }
}

/// T1, T2. Right under another hash, with the right secret and an honest header: still
/// not HS256. And the same tags under a header that claims HS256.
#[test]
fn other_hashes_are_refused_even_with_the_right_secret() {
    let sha384 = |message: &str| {
        let mac = Hmac::<Sha384>::new_from_slice(SECRET.as_bytes()).expect("a key");
        mac.chain_update(message).finalize().into_bytes().to_vec()
    };
    let sha512 = |message: &str| {
        let mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).expect("a key");
        mac.chain_update(message).finalize().into_bytes().to_vec()
    };
    for alg in ["HS256", "HS384", "HS512"] {
        let message = format!("{}.{}", b64(format!(r#"{{"alg":"{alg}"}}"#)), b64(payload(&[])));
        for (hash, tag) in [("384", sha384(&message)), ("512", sha512(&message))] {
            let case = format!("{alg} with a SHA-{hash} tag");
            assert_refused(&case, &format!("{message}.{}", b64(&tag)), InvalidTokenSignature);
            let cut = format!("{message}.{}", b64(&tag[..32]));
            assert_refused(&format!("{case}, cut"), &cut, InvalidTokenSignature);
        }
    }
}

/// T2, T3. No asymmetric algorithm exists here, so no public key can become a secret.
#[test]
fn asymmetric_algorithms_are_refused_under_any_tag() {
    const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE04N0xi21hshyvBp7I167sbE/bXqy\n\
        -----END PUBLIC KEY-----\n";
    for alg in ["RS256", "RS384", "RS512", "PS256", "ES256", "ES256K", "ES384", "EdDSA", "Ed25519"]
    {
        let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
        let message = format!("{}.{}", b64(&header), b64(payload(&[])));
        assert_refused(&format!("T2: {alg}, HS256 tag"), &headed(&header), InvalidTokenSignature);
        let public = seal_with(PUBLIC_KEY, &header, payload(&[]));
        assert_refused(&format!("T3: {alg}, public key"), &public, InvalidTokenSignature);
        for size in [64, 256] {
            let zeros = format!("{message}.{}", b64(vec![0; size]));
            assert_refused(&format!("T3: {alg}, {size} zeros"), &zeros, InvalidTokenSignature);
        }
    }
    let confused = seal_with(PUBLIC_KEY, r#"{"alg":"HS256"}"#, payload(&[]));
    assert_refused("T3: HS256, public key as secret", &confused, InvalidTokenSignature);
}

/// T4. The key comes from the configuration; a header that offers one is refused, also
/// when the tag is right under our own.
#[test]
fn a_token_cannot_bring_its_key() {
    let key = "attacker-attacker-attacker-attacker";
    for offer in [
        format!(r#""jwk":{{"kty":"oct","alg":"HS256","k":"{}"}}"#, b64(key)),
        r#""jwk":null"#.to_owned(),
        r#""jku":"https://evil.example/keys.json""#.to_owned(),
        r#""jku":7"#.to_owned(),
        r#""x5u":"https://evil.example/chain.pem""#.to_owned(),
        r#""x5c":["MIIB"]"#.to_owned(),
        r#""x5c":[]"#.to_owned(),
    ] {
        let header = format!(r#"{{"alg":"HS256",{offer}}}"#);
        let forged_token = seal_with(key, &header, payload(&[]));
        assert_refused(&format!("T4: {offer}, their tag"), &forged_token, MalformedToken);
        assert_refused(&format!("T4: {offer}, our tag"), &headed(&header), MalformedToken);
    }
}

/// T4. `kid` is an id to compare: never a path, query or address.
#[test]
fn a_kid_is_only_compared() {
    for kid in [
        "/dev/null",
        "../../../../dev/null",
        "file:///dev/null",
        "https://evil.example/key",
        "' UNION SELECT 'key' --",
        "|id",
        "",
        "0",
        "\\u0000",
    ] {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
        for key in ["", "\0", "key", kid] {
            let forged_token = seal_with(key, &header, payload(&[]));
            assert_refused(&format!("T4: {kid}, {key:?}"), &forged_token, InvalidTokenSignature);
        }
        assert_passes(&format!("T4: {kid}, our key"), &headed(&header));
    }
    assert_headers_refused(
        "T4",
        MalformedToken,
        &[
            r#"{"alg":"HS256","kid":1}"#,
            r#"{"alg":"HS256","kid":["a"]}"#,
            r#"{"alg":"HS256","kid":{"a":"b"}}"#,
        ],
    );
}

/// T5. No extension is understood, so naming one, or none, or naming them wrongly is the
/// same.
#[test]
fn crit_of_any_kind_is_refused() {
    for crit in
        ["[]", r#"["exp"]"#, r#"["b64"]"#, r#"["x"]"#, r#""b64""#, "null", "true", "{}", "1", "[1]"]
    {
        for more in ["", r#","b64":false"#, r#","x":"y""#] {
            let header = format!(r#"{{"alg":"HS256","crit":{crit}{more}}}"#);
            assert_refused(&format!("T5: {header}"), &headed(&header), MalformedToken);
        }
    }
    // RFC 7797: the tag is made over the payload as it is.
    let header = b64(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#);
    let detached = format!("{header}.{}", b64(mac(SECRET, &format!("{header}.{}", payload(&[])))));
    assert_refused("T5: detached", &detached.replacen('.', "..", 1), MalformedToken);
}

/// T20. The declared type is a JWT's, in any case, or there is none.
#[test]
fn another_declared_type_is_refused() {
    for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/jwt", "application/at+jwt"] {
        assert_passes(typ, &headed(&format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#)));
    }
    assert_passes("no typ", &headed(r#"{"alg":"HS256"}"#));
    for typ in [
        r#""refresh+jwt""#,
        r#""dpop+jwt""#,
        r#""secevent+jwt""#,
        r#""logout+jwt""#,
        r#""JOSE""#,
        r#""JOSE+JSON""#,
        r#""""#,
        r#""jwt ""#,
        "null",
        "1",
        r#"["JWT"]"#,
    ] {
        let header = format!(r#"{{"alg":"HS256","typ":{typ}}}"#);
        assert_refused(&header, &headed(&header), MalformedToken);
    }
}

/// T21.
#[test]
fn unknown_parameters_are_ignored() {
    let many: Vec<_> = (0..60).map(|i| format!(r#","x-{i}":[{i},null,{{"a":"b"}}]"#)).collect();
    assert_passes("T21: 60", &headed(&format!(r#"{{"alg":"HS256"{}}}"#, many.concat())));
    for header in [
        r#"{"alg":"HS256","cty":"JWT"}"#,
        r#"{"alg":"HS256","x5t":1}"#,
        r#"{"alg":"HS256","enc":null,"zip":"DEF"}"#,
        r#"{"alg":"HS256","ALG":"none"}"#,
        r#" {"alg" : "HS256" } "#,
    ] {
        assert_eq!(verdict(&headed(header)), Ok("alice".to_owned()), "{header}");
    }
}
