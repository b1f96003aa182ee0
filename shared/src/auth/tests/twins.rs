//! The same attack on every kind of verifier. Each forged HS256 token that was not refused
//! for its tag has a twin for published keys, which must get the same verdict, and one for
//! session caches, which must be refused for the same shape, header or times.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::forge::{NOW, b64};
use crate::auth::{
    Refusal::{self, InvalidTokenSignature, MalformedToken, TokenExpired, TokenNotYetValid},
    TokenVerifier, Trust,
};

/// The parts of a compact token, decoded; `None` where it is something else.
fn parts(token: &str) -> Option<[Vec<u8>; 3]> {
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok().filter(|part| !part.is_empty());
    token.split('.').map(decoded).collect::<Option<Vec<_>>>()?.try_into().ok()
}

pub fn check(verifier: &TokenVerifier, token: &str, verdict: &Result<String, Refusal>) {
    let (Some(keys), Some(parts)) = (verifier.secrets(), parts(token)) else {
        return;
    };
    // A longer tag would change the verdict on the length.
    if *verdict == Err(InvalidTokenSignature) || token.len() > 8000 {
        return;
    }
    #[cfg(feature = "jwks")]
    if let Some(twin) = published::token(&parts[0], &parts[1]) {
        let verifier = verifier.but_trusting(published::trust());
        let twins = verifier.verify(&twin).map(|principal| principal.user().to_string());
        assert_eq!(twins, *verdict, "with a published key: {twin}");
    }
    let is_common = matches!(verdict, Err(MalformedToken | TokenExpired | TokenNotYetValid));
    if is_common && verifier.authenticate(token).is_ok() {
        let message = format!("{}.{}", b64(r#"{"alg":"HS256"}"#), b64(as_session_cache(&parts[1])));
        let tag = keys.sign(&message).expect("HS256");
        let verifier = verifier.but_trusting(Trust::SessionCache(keys.clone()));
        let twins = verifier.verify(&format!("{message}.{tag}"));
        let twins = twins.map(|principal| principal.user().to_string());
        assert_eq!(twins, *verdict, "as a session cache: {message}");
    }
}

/// The payload with a session and a user in front, if it is a JSON object.
fn as_session_cache(payload: &[u8]) -> Vec<u8> {
    let Some(payload) = payload.strip_prefix(b"{") else { return payload.to_vec() };
    let members = format!(
        r#"{{"session":{{"userId":"alice","expiresAt":"2100-01-01T00:00:00.000Z"}},"user":{{"id":"alice"}},"updatedAt":{NOW}000,"#
    );
    [members.as_bytes(), payload].concat()
}

#[cfg(feature = "jwks")]
mod published {
    use std::sync::LazyLock;

    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::b64;
    use crate::auth::{Trust, jwks};

    static PAIR: LazyLock<Ed25519KeyPair> =
        LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed"));

    /// One nameless key.
    static TRUST: LazyLock<Trust> = LazyLock::new(|| {
        let x = b64(PAIR.public_key());
        let document = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#);
        Trust::PublicKeys(jwks::PublicKeySource::of(document.as_bytes()).expect("keys"))
    });

    pub fn trust() -> Trust {
        TRUST.clone()
    }

    /// `None` where the header names a key or spells HS256 in its own way.
    pub fn token(header: &[u8], payload: &[u8]) -> Option<String> {
        let header = std::str::from_utf8(header).ok()?;
        if !header.contains("\"HS256\"") || header.contains("\"kid\"") {
            return None;
        }
        let message = format!("{}.{}", b64(header.replace("HS256", "EdDSA")), b64(payload));
        let signature = PAIR.sign(message.as_bytes());
        Some(format!("{message}.{}", b64(signature)))
    }
}
