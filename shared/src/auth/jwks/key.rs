//! One public key, for one algorithm.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{auth::Refusal, json::Object};

/// A published key (RFC 7517), with the members that matter here.
#[derive(Deserialize)]
pub(super) struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    // Members of private or shared keys.
    d: Option<Value>,
    k: Option<Value>,
    p: Option<Value>,
    q: Option<Value>,
}

/// The reason why a published key is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it is no key: a member is missing or of a wrong type")]
    Malformed,
    #[error("it is private or shared, and known to everybody now")]
    Private,
    #[error("it is not for signatures")]
    OtherUse,
    #[error("its algorithm is none of EdDSA, ES256 and RS256")]
    Algorithm,
    #[error("an RSA key has 2048 to 8192 bits here")]
    Size,
}

/// A public key with its id. Its type decides the algorithm, never a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey {
    pub id: Option<String>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Ed25519([u8; 32]),
    /// Uncompressed: 4, then x and y.
    P256([u8; 65]),
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

impl PublicKey {
    /// Parses one member of `keys`.
    pub(super) fn parse(json: Value) -> Result<Self, Unusable> {
        let Object::<Jwk>(jwk) = Object::deserialize(json).map_err(|_| Unusable::Malformed)?;
        let is_private = [&jwk.d, &jwk.k, &jwk.p, &jwk.q].into_iter().any(Option::is_some);
        if is_private || jwk.kty == "oct" {
            return Err(Unusable::Private);
        }
        let is_for_signatures = jwk.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !is_for_signatures {
            return Err(Unusable::OtherUse);
        }
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => Material::Ed25519(fixed(jwk.x.as_deref())?),
            ("EC", Some("P-256")) => {
                let (x, y): ([u8; 32], [u8; 32]) =
                    (fixed(jwk.x.as_deref())?, fixed(jwk.y.as_deref())?);
                let mut point = [4; 65];
                point[1..33].copy_from_slice(&x);
                point[33..].copy_from_slice(&y);
                Material::P256(point)
            }
            ("RSA", None) => {
                let (n, e) = (bytes(jwk.n.as_deref())?, bytes(jwk.e.as_deref())?);
                let bits = n.first().map_or(0, |top| n.len() * 8 - top.leading_zeros() as usize);
                if n.first() == Some(&0) || !(2048..=8192).contains(&bits) {
                    return Err(Unusable::Size);
                }
                Material::Rsa { n, e }
            }
            _ => return Err(Unusable::Algorithm),
        };
        let key = Self { id: jwk.kid, material };
        if jwk.alg.is_none_or(|alg| alg == key.algorithm()) {
            Ok(key)
        } else {
            Err(Unusable::Algorithm)
        }
    }

    /// The one algorithm of this key, as a token's header spells it.
    pub(super) fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Ed25519(_) => "EdDSA",
            Material::P256(_) => "ES256",
            Material::Rsa { .. } => "RS256",
        }
    }

    /// Refuses a message that is not signed by this key with its own algorithm.
    pub(super) fn check(&self, alg: &str, message: &str, tag: &str) -> Result<(), Refusal> {
        if alg != self.algorithm() {
            return Err(Refusal::InvalidTokenSignature);
        }
        let signature = URL_SAFE_NO_PAD.decode(tag).map_err(|_| Refusal::InvalidTokenSignature)?;
        if self.verifies(message.as_bytes(), &signature) {
            Ok(())
        } else {
            Err(Refusal::InvalidTokenSignature)
        }
    }

    /// Whether the owner of the private half made `signature` for `message`.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verdict = match &self.material {
            Material::Ed25519(key) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Material::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
        };
        verdict.is_ok()
    }
}

fn bytes(encoded: Option<&str>) -> Result<Vec<u8>, Unusable> {
    URL_SAFE_NO_PAD.decode(encoded.ok_or(Unusable::Malformed)?).map_err(|_| Unusable::Malformed)
}

/// Coordinates are written at full length, leading zeros included (RFC 7518 section 6.2.1).
fn fixed(encoded: Option<&str>) -> Result<[u8; 32], Unusable> {
    bytes(encoded)?.try_into().map_err(|_| Unusable::Malformed)
}
