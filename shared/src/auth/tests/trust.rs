//! The configured kind of trusted token.

use std::{collections::HashMap, sync::Arc};

use super::forge::SECRET;
use crate::{
    auth::{Keyring, TokenKind, TokenPolicy, Trust},
    config::{Faults, Reader},
    origin::BETTER_AUTH_URL,
};

fn read(vars: &[(&'static str, &str)]) -> Result<(Arc<Keyring>, TokenPolicy, Trust), Faults> {
    let vars: HashMap<_, _> = vars.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
    let mut reader = Reader::new(&vars);
    let kind = TokenKind::read(&mut reader);
    let keys = kind.read_keys(&mut reader).map(Arc::new);
    let policy = kind.read_policy(&mut reader, &BETTER_AUTH_URL);
    let trust = keys.as_ref().and_then(|keys| kind.read_trust(&mut reader, keys));
    reader.finish((|| Some((keys?, policy?, trust?)))())
}

fn faults(vars: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let faults = read(vars).err().expect("faults").0;
    faults.into_iter().map(|fault| (fault.name, fault.message)).collect()
}

const KEY: (&str, &str) = ("BETTER_AUTH_SECRET", SECRET);
const SITE: (&str, &str) = ("BETTER_AUTH_URL", "https://app.example.com");

#[test]
fn access_tokens_under_the_secret_unless_said_otherwise() {
    for vars in [vec![KEY, SITE], vec![KEY, SITE, ("TOKEN_VERIFIER", "hs256")]] {
        let (_, policy, trust) = read(&vars).expect("sound");
        assert!(matches!(trust, Trust::Secrets(_)));
        assert!(trust.is_loaded());
        assert_eq!(policy.issuer.as_deref(), Some("https://app.example.com"));
    }
}

#[test]
fn exactly_one_kind_is_named() {
    for text in ["HS256", "none", "hs256,jwks", "hs256 jwks", "eddsa", "all", " jwks"] {
        let faults = faults(&[KEY, SITE, ("TOKEN_VERIFIER", text)]);
        assert_eq!(faults.len(), 1, "{text}");
        assert_eq!(faults[0].0, "TOKEN_VERIFIER");
    }
}

#[test]
fn session_caches_need_a_secret_and_have_no_parties_to_check() {
    let mode = ("TOKEN_VERIFIER", "session-cache");
    let (_, policy, trust) = read(&[mode, KEY, ("JWT_AUDIENCE", "off")]).expect("sound");
    assert!(matches!(trust, Trust::SessionCache(_)));
    assert_eq!((policy.issuer, policy.audience), (None, None));
    let names: Vec<_> = faults(&[mode, ("JWT_ISSUER", "me"), ("JWT_LEEWAY", "1h")])
        .into_iter()
        .map(|fault| fault.0)
        .collect();
    assert_eq!(names, ["BETTER_AUTH_SECRET", "JWT_ISSUER", "JWT_LEEWAY"]);
}

#[test]
fn the_issuer_of_tokens_verifies_no_others() {
    for (text, refused) in [("hs256", false), ("session-cache", true), ("jwks", true)] {
        let vars = HashMap::from([("TOKEN_VERIFIER", text.to_owned())]);
        let mut reader = Reader::new(&vars);
        TokenKind::refuse_others(&mut reader);
        assert_eq!(reader.finish(Some(())).is_err(), refused, "{text}");
    }
}

#[cfg(not(feature = "jwks"))]
#[test]
fn a_build_without_public_keys_reports_how_to_get_them() {
    let jwks = [SITE, ("TOKEN_VERIFIER", "jwks"), ("JWKS_URL", "https://app.example.com/jwks")];
    let faults = faults(&jwks);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].1.contains("--features jwks"), "{faults:?}");
}
